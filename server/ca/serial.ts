/**
 * Certificate serial numbers: random, positive, at most 128 bits.
 *
 * @see RFC 5280 §4.1.2.2 — serial numbers are positive integers
 */
import type { RandomBytes } from '../../spiffe/random.ts'

const SERIAL_BYTES = 16

/** Big-endian; never zero. */
export function randomSerial(randomBytes: RandomBytes): Uint8Array {
  const serial = randomBytes(SERIAL_BYTES)
  return serial.some((byte) => byte !== 0) ? serial : randomSerial(randomBytes)
}
