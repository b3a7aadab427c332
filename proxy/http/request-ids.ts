/** UUIDs for requests that came without an ID of their own. Random bytes are drawn for many at once: they are cheap by the page. */
import type { RandomBytes } from '../../spiffe/random.ts'

const ID_BYTES = 16
const IDS_AT_ONCE = 256

/** @returns a fresh one at each call, RFC 9562 §5.4 — version 4 */
export function requestIds(randomBytes: RandomBytes): () => string {
  let drawn = Buffer.alloc(0)
  let at = 0
  return () => {
    if (at >= drawn.length) {
      drawn = Buffer.from(randomBytes(ID_BYTES * IDS_AT_ONCE))
      at = 0
    }
    const bytes = drawn.subarray(at, at + ID_BYTES)
    at += ID_BYTES
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const hex = bytes.toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }
}
