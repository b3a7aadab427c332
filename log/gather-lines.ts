/**
 * Lines that may wait are written together: a thousand workloads that are served at once say two debug lines each, and a write costs
 * several times what making its line does. They wait until what the process does just now is done, and no longer: whatever it reads
 * next finds them written. A line that may not wait is written at once, with those before it.
 */

/** What a pipe takes as a whole or not at all, and with nobody else's lines in between. @see pipe(7) PIPE_BUF */
const MAX_WRITE_BYTES = 4_096

export interface GatheredLines {
  /** @param line with its end */
  add(line: string, mayWait: boolean): void
  flush(): void
}

/** @param whenDone calls back when what the process does just now is done; Node's own if left out */
export function gatherLines(
  write: (lines: string) => void,
  whenDone: (then: () => void) => void = process.nextTick,
): GatheredLines {
  let gathered = ''
  let bytes = 0
  let isAwaited = false
  const flush = () => {
    if (bytes === 0) return
    const lines = gathered
    gathered = ''
    bytes = 0
    write(lines)
  }
  const done = () => {
    isAwaited = false
    flush()
  }
  return {
    flush,
    add(line, mayWait) {
      const lineBytes = Buffer.byteLength(line)
      if (bytes + lineBytes > MAX_WRITE_BYTES) flush()
      gathered += line
      bytes += lineBytes
      if (!mayWait) return flush()
      if (isAwaited) return
      isAwaited = true
      whenDone(done)
    },
  }
}
