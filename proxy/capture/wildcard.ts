/** Every address of the machine, of both families where it has both: redirected connections arrive at any. */
import { existsSync } from 'node:fs'
import type { Address } from '../../config/address.ts'

export function wildcard(port: number): Address {
  return { kind: 'tcp', host: existsSync('/proc/net/if_inet6') ? '::' : '0.0.0.0', port }
}
