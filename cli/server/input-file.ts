/** Text that an operator hands over, from a file or from standard input, up to a bound. */
import { open } from 'node:fs/promises'
import { IdentityError } from '../../spiffe/error.ts'
import { toFileError } from '../output/file-error.ts'
import type { Terminal } from '../terminal.ts'

/** Far more than a server takes in one request, which is 4 MiB. */
const MAX_BYTES = 64 * 1024 * 1024
export const STDIN = '-'

/** @param path `-` for standard input @throws IdentityError REQUEST_INVALID */
export async function readInputFile(path: string, terminal: Terminal): Promise<string> {
  return path === STDIN ? await terminal.readInput(MAX_BYTES) : await readFile(path)
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
