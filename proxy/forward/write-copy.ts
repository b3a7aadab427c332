/**
 * Writes bytes whose memory is about to be used again: copies them, into memory that comes back when they are written.
 * Bound: the memory that is kept for it.
 */
import type { Writable } from 'node:stream'

/** Copies up to this size share the memory that Node cuts small buffers from. */
const SMALL_BYTES = 2_048
const SLAB_BYTES = 64 * 1024
/** Kept between writes. */
const MAX_FREE_SLABS = 64

const free: Buffer[] = []

/**
 * @param to a socket or a stream of HTTP/2, which keep nothing of what they have said is written
 * @param bytes at most 64 KiB
 * @returns as `write` does: false when no more should come before `drain`
 */
export function writeCopy(to: Writable, bytes: Buffer): boolean {
  if (bytes.length <= SMALL_BYTES) return to.write(Buffer.from(bytes))
  const slab = free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
  bytes.copy(slab)
  return to.write(slab.subarray(0, bytes.length), () => {
    // Whoever failed to write does not read it any more either: its handle is closed.
    if (free.length < MAX_FREE_SLABS) free.push(slab)
  })
}
