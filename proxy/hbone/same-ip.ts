/** Whether two texts name one address, however each is written. */
import { blockKey, parseIpAddress } from '../../policy/ip-block.ts'

const ALL_BITS = 128

/** Fails closed: what is no address is equal to nothing. */
export function isSameIp(one: string, other: string): boolean {
  const [a, b] = [parseIpAddress(one), parseIpAddress(other)]
  if (a === undefined || b === undefined || a.family !== b.family) return false
  return blockKey(a, ALL_BITS) === blockKey(b, ALL_BITS)
}
