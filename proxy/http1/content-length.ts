/** Content-Length as a number: decimal digits alone, and few enough that no implementation rounds them. @see RFC 9110 §8.6 */
import { type Head, SLOTS } from './head.ts'

/** 10^15 bytes; below what a double holds exactly. */
const MAX_DIGITS = 15

/** @returns bytes, or -1 when the value of this line is anything but a number: a sign, a list, a space, too many digits */
export function contentLengthOf<Fields>(head: Head<Fields>, line: number): number {
  const from = head.slots[line * SLOTS + 2] ?? 0
  const to = head.slots[line * SLOTS + 3] ?? 0
  if (to === from || to - from > MAX_DIGITS) return -1
  let length = 0
  for (let at = from; at < to; at += 1) {
    const digit = (head.bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}
