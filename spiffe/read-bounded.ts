/** Takes all that a stream brings, but no more than the reader is ready to hold. */

/**
 * @returns undefined when there is more than that, and then the rest is not read
 * @throws whatever the stream fails with
 */
export async function readBounded(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
