/**
 * Certificate serial numbers: random, positive, at most 128 bits.
 *
 * @see RFC 5280 §4.1.2.2 — serial numbers are positive integers
 */
import type { RandomBytes } from '../../spiffe/random.ts'

const SERIAL_BYTES = 16
/** Drawn at once: asking for randomness costs far more than the bytes do. Each of them is used once. */
const SERIALS_PER_DRAW = 64

/** Big-endian; never zero. */
export function randomSerial(randomBytes: RandomBytes): Uint8Array {
  const serial = randomBytes(SERIAL_BYTES)
  return serial.some((byte) => byte !== 0) ? serial : randomSerial(randomBytes)
}

/** @returns what gives a serial number like `randomSerial`'s with every call */
export function serialSource(randomBytes: RandomBytes): () => Uint8Array {
  let drawn: Uint8Array = new Uint8Array()
  const next = (): Uint8Array => {
    if (drawn.length < SERIAL_BYTES) drawn = randomBytes(SERIAL_BYTES * SERIALS_PER_DRAW)
    const serial = drawn.subarray(0, SERIAL_BYTES)
    drawn = drawn.subarray(SERIAL_BYTES)
    return serial.some((byte) => byte !== 0) ? serial : next()
  }
  return next
}
