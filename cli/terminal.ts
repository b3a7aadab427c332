/** What a command may touch of the process that runs it; tests give it another one. */
import { writeSync } from 'node:fs'
import { IdentityError } from '../spiffe/error.ts'

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Adds to standard output; lines bring their own line feed. */
  print(text: string): void
  /** Adds to standard error. */
  complain(text: string): void
  /** Reads standard input to its end, up to `maxBytes`. @throws IdentityError REQUEST_INVALID beyond */
  readInput(maxBytes: number): Promise<string>
}

export const processTerminal: Terminal = {
  env: process.env,
  print: (text) => writeAll(process.stdout.fd, text),
  complain: (text) => writeAll(process.stderr.fd, text),
  async readInput(maxBytes) {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of process.stdin) {
      const bytes = Buffer.from(chunk)
      length += bytes.length
      if (length > maxBytes) {
        throw new IdentityError(
          'REQUEST_INVALID',
          `standard input is larger than ${maxBytes} bytes`,
        )
      }
      chunks.push(bytes)
    }
    return Buffer.concat(chunks).toString('utf8')
  },
}

/** At once and in order, so that nothing is lost when the process ends right after. */
function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EAGAIN') continue
      if (code === 'EPIPE') return // nobody reads any more
      throw error
    }
  }
}
