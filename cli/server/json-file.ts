/**
 * JSON that an operator wrote, from a file or from standard input. A file that ends too early is refused in the
 * words of SPIRE, any other mistake with the place where it is.
 */
import { open } from 'node:fs/promises'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { toFileError } from '../output/file-error.ts'
import type { Terminal } from '../terminal.ts'

/** Far more than a server takes in one request, which is 4 MiB. */
const MAX_BYTES = 64 * 1024 * 1024
const STDIN = '-'

/** @throws IdentityError REQUEST_INVALID */
export async function readJsonFile(path: string, terminal: Terminal): Promise<unknown> {
  const text = path === STDIN ? await terminal.readInput(MAX_BYTES) : await readFile(path)
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = reasonOf(cause)
    const position = /at position (\d+)/.exec(reason)?.[1]
    const isCutOff = position === undefined || Number(position) >= text.trimEnd().length
    if (isCutOff && /^(Unexpected end|Unterminated|Expected|Bad)/.test(reason)) {
      throw new IdentityError('REQUEST_INVALID', 'unexpected end of JSON input', { cause })
    }
    throw new IdentityError('REQUEST_INVALID', `${path} is not JSON: ${reason}`, { cause })
  }
}

async function readFile(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    if (size > MAX_BYTES) {
      throw new IdentityError('REQUEST_INVALID', `${path} is larger than ${MAX_BYTES} bytes`)
    }
    return await file.readFile('utf8')
  } catch (error) {
    if (error instanceof IdentityError) throw error
    throw toFileError(error, path)
  }
}
