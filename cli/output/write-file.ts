/** Writes what a command was asked to keep in a file. A private file is private before its content is in it. */
import { open } from 'node:fs/promises'
import { toFileError } from './file-error.ts'

export const PUBLIC = 0o644
export const PRIVATE = 0o600

/** @throws IdentityError REQUEST_INVALID when the file cannot be written */
export async function writeFile(path: string, content: string, mode: number): Promise<void> {
  try {
    await using file = await open(path, 'w', mode)
    await file.chmod(mode) // it may have been there, with another mode
    await file.writeFile(content)
  } catch (error) {
    throw toFileError(error, path)
  }
}
