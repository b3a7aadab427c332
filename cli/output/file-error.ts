/** Errors of the file system in the words of Go: `open /x: no such file or directory`. */
import { getSystemErrorMap } from 'node:util'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'

/** @param code e.g. `ENOENT` */
export function systemErrorText(code: string): string {
  for (const [name, message] of getSystemErrorMap().values()) {
    if (name !== code) continue
    return code === 'EISDIR' ? 'is a directory' : message
  }
  return code
}

/** Anything that is no error of the file system is a bug and goes on as it is. */
export function toFileError(error: unknown, path: string): IdentityError {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error
  const syscall = 'syscall' in error ? String(error.syscall) : 'open'
  const what = `${syscall} ${path}: ${systemErrorText(error.code)}`
  return new IdentityError('REQUEST_INVALID', what, { cause: reasonOf(error) })
}
