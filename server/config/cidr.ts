/** A range of addresses, such as 10.0.0.0/8 or fd00::/8. A bare address is none, as in SPIRE: whoever means one writes /32. */
import { isIP } from 'node:net'
import { type Value, value } from '../../config/value.ts'

export interface Cidr {
  readonly address: string
  readonly prefixBits: number
  readonly family: 'ipv4' | 'ipv6'
}

const FORM = /^(?<address>[0-9A-Fa-f.:]+)\/(?<bits>0|[1-9]\d{0,2})$/
const MAX_BITS = { 4: 32, 6: 128 } as const

export function cidr(): Value<Cidr> {
  return value((node) => {
    const range = node.kind === 'string' ? parseCidr(node.value) : undefined
    if (range !== undefined) return { kind: 'value', value: range }
    return { kind: 'wrong', message: 'is no range of addresses' }
  }, 'a range such as 10.0.0.0/8')
}

export function parseCidr(text: string): Cidr | undefined {
  const { address = '', bits } = FORM.exec(text)?.groups ?? {}
  const version = isIP(address)
  if (version !== 4 && version !== 6) return undefined
  const prefixBits = Number(bits)
  if (prefixBits > MAX_BITS[version]) return undefined
  return { address, prefixBits, family: version === 4 ? 'ipv4' : 'ipv6' }
}
