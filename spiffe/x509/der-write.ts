/** Writes DER: the one encoding of a value that `der.ts` takes. @see X.690 §10 */
import { TAG } from './der.ts'

export function encode(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  // One allocation for head and parts: every byte of it is written below.
  const headLength = headLengthOf(length)
  const whole = Buffer.allocUnsafe(headLength + length)
  writeHead(whole, tag, length, headLength)
  let offset = headLength
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => encode(TAG.sequence, ...parts)

/** @param parts in the order in which they are to stand; a SET OF must be sorted by the caller */
export const set = (...parts: readonly Uint8Array[]): Buffer => encode(TAG.set, ...parts)

export const octets = (bytes: Uint8Array): Buffer => encode(TAG.octetString, bytes)

export const bits = (bytes: Uint8Array, unused = 0): Buffer =>
  encode(TAG.bitString, Buffer.of(unused), bytes)

export const boolean = (value: boolean): Buffer => encode(TAG.boolean, Buffer.of(value ? 0xff : 0))

/** A non-negative INTEGER from big-endian bytes. */
export function integer(magnitude: Uint8Array): Buffer {
  let start = 0
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++
  const minimal = magnitude.subarray(start)
  const first = minimal[0] ?? 0xff
  return first >= 0x80 ? encode(TAG.integer, Buffer.of(0), minimal) : encode(TAG.integer, minimal)
}

export function oid(dotted: string): Buffer {
  const [top = 0, second = 0, ...others] = dotted.split('.').map(Number)
  const bytes = [top * 40 + second, ...others].flatMap((arc) => {
    const groups = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left % 128) + 128)
    }
    return groups
  })
  return encode(TAG.oid, Buffer.from(bytes))
}

/** @see RFC 5280 §4.1.2.5 — UTCTime through 2049, GeneralizedTime from 2050 */
export function time(date: Date): Buffer {
  const text = date.toISOString()
  const year = date.getUTCFullYear()
  const day = text.slice(0, 4) + text.slice(5, 7) + text.slice(8, 10)
  const digits = day + text.slice(11, 13) + text.slice(14, 16) + text.slice(17, 19)
  return year >= 1950 && year < 2050
    ? encode(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`))
    : encode(TAG.generalizedTime, Buffer.from(`${digits}Z`))
}

function headLengthOf(length: number): number {
  if (length < 0x80) return 2
  if (length < 0x100) return 3
  return length < 0x1_0000 ? 4 : 5
}

function writeHead(into: Buffer, tag: number, length: number, headLength: number): void {
  into[0] = tag
  if (headLength === 2) {
    into[1] = length
    return
  }
  const lengthBytes = headLength - 2
  into[1] = 0x80 | lengthBytes
  into.writeUIntBE(length, 2, lengthBytes)
}
