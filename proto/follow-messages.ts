/**
 * How many bytes of a stream's requests are still there: of the message that has begun, of those that ended in the last piece that any
 * ended in, for grpc-js decodes them all before one is read, and of the last ones before, which somebody may be reading. gRPC keeps a
 * message that never ends for as long as its stream is open.
 *
 * @see gRPC over HTTP/2 — Length-Prefixed-Message
 */

/** One flag and four bytes of length. */
const PREFIX_BYTES = 5
/** One that is looked at, and one that was read ahead. @see requestsOf in serve.ts */
const KEPT_MESSAGES = 2
/** What a message takes besides its bytes once it is decoded, though it be empty. */
export const DECODED_BYTES = 512

/** @returns takes the next bytes of the stream and tells how many are there after them */
export function followMessages(): (chunk: Uint8Array) => number {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  const kept: number[] = []
  let keptBytes = 0
  let prefixBytes = 0
  let begun = 0
  let left = 0
  const forget = () => {
    for (const bytes of kept.splice(0, kept.length - KEPT_MESSAGES)) keptBytes -= bytes
  }
  const complete = () => {
    const bytes = begun + DECODED_BYTES
    kept.push(bytes)
    keptBytes += bytes
    begun = 0
    prefixBytes = 0
  }
  return (chunk) => {
    let isFirst = true
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
      if (left > 0) continue
      if (isFirst) forget()
      isFirst = false
      complete()
    }
    return keptBytes + begun
  }
}
