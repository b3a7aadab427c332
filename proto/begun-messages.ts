/**
 * How many bytes of a stream's requests are still there: of the message that has begun, and of the last ones, which somebody may be
 * reading. gRPC keeps a message that never ends for as long as its stream is open.
 *
 * @see gRPC over HTTP/2 — Length-Prefixed-Message
 */

/** One flag and four bytes of length. */
const PREFIX_BYTES = 5
/** One that is looked at, and one that was read ahead. @see requestsOf in serve.ts */
const KEPT_MESSAGES = 2

/** @returns takes the next bytes of the stream and tells how many are there after them */
export function followMessages(): (chunk: Uint8Array) => number {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  const kept: number[] = []
  let keptBytes = 0
  let prefixBytes = 0
  let begun = 0
  let left = 0
  const complete = () => {
    kept.push(begun)
    keptBytes += begun
    if (kept.length > KEPT_MESSAGES) keptBytes -= kept.shift() ?? 0
    begun = 0
    prefixBytes = 0
  }
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (prefixBytes < PREFIX_BYTES) {
        prefix[prefixBytes] = chunk[at] ?? 0
        prefixBytes += 1
        at += 1
        begun += 1
        if (prefixBytes < PREFIX_BYTES) continue
        left = prefix.readUInt32BE(1)
      } else {
        const taken = Math.min(left, chunk.length - at)
        at += taken
        left -= taken
        begun += taken
      }
      if (left === 0) complete()
    }
    return keptBytes + begun
  }
}
