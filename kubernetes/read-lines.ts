/** Cuts a stream into its lines, each bounded: a watch sends one JSON object a line. */

/**
 * @param maxBytes of one line
 * @throws Error for a longer line, and whatever the stream fails with; a last line without an end is dropped, for it was cut
 */
export async function* readLines(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<string> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of stream) {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      rest.push(chunk.subarray(from, end))
      const line = Buffer.concat(rest).toString('utf8').trim()
      rest = []
      restBytes = 0
      from = end + 1
      if (line !== '') yield line
    }
    rest.push(chunk.subarray(from))
    restBytes += chunk.length - from
    if (restBytes > maxBytes) throw new Error(`a line is longer than ${maxBytes} bytes`)
  }
}
