/** One client, one name: however its address came to us, limits and logs know it by the same text. */
import { isIPv6 } from 'node:net'

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/** The shortest form of an IPv6 address; an IPv4 one that is mapped into IPv6 is the same caller as over IPv4. */
export function plainIp(address: string): string {
  if (!isIPv6(address)) return address
  // An address with a zone is not for URLs, and stays as it is.
  const short = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address
  const [, high, low] = MAPPED.exec(short) ?? []
  if (high === undefined || low === undefined) return short
  const bytes = Buffer.from(high.padStart(4, '0') + low.padStart(4, '0'), 'hex')
  return bytes.join('.')
}
