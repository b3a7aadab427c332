/** Where a connection to the workload goes: always to one place, or to where it was going before it was redirected. */
import type { Socket } from 'node:net'
import type { Address } from '../../config/address.ts'
import type { InboundConfig, PortProtocol } from '../config.ts'
import { plainIp } from './addresses.ts'
import type { ServeHttp } from './serve-http.ts'

export interface Located {
  /** The address that policies mean. */
  readonly ip: string
  /** The port that policies mean: the workload's. */
  readonly port: number
  readonly protocol: PortProtocol
  readonly upstream: Address
  readonly serveHttp: ServeHttp
}

/** @returns why there is no such place, and the connection must be refused */
export type Locate = (socket: Socket) => Located | { readonly refusal: string }

/** A listener in front of one port of the workload. */
export function fixedWorkload(
  { workloadPort, protocol, upstream }: InboundConfig,
  serveHttp: ServeHttp,
): Locate {
  const place = { port: workloadPort ?? 0, protocol, upstream, serveHttp }
  return ({ localAddress }) => ({ ip: plainIp(localAddress), ...place })
}
