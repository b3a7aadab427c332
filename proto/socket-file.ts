/**
 * The file of a Unix socket: how it gets its mode, and who else could put another one in its place.
 */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'

const MODE_BITS = 0o777
const OTHERS_WRITE = 0o002
/** Entries of the directory may be replaced by their owners alone. */
const STICKY = 0o1000

/**
 * Binds a socket whose file has its mode from its first moment. Changing the mode afterwards would follow a symbolic link
 * that somebody has put in its place meanwhile. Not for worker threads, which have no umask of their own.
 * @param bind must make the file before it returns, as Node's `listen` does for a path
 */
export function bindWithMode(mode: number, bind: () => void): void {
  const before = process.umask(MODE_BITS & ~mode)
  try {
    bind()
  } finally {
    process.umask(before)
  }
}

/**
 * Whether somebody other than root and this process's own user could put a socket of his own in the place of this one.
 * @returns who could, and what to do; undefined when nobody can
 */
export function whoCouldReplace(path: string): string | undefined {
  const directory = dirname(path)
  const { uid, mode } = statSync(directory)
  if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0) {
    return `everybody may write ${directory}, and so put another socket in the place of ${path}; give the directory mode 0755`
  }
  if (uid === 0 || uid === process.geteuid?.()) return undefined
  return `user ${uid} owns ${directory}, and can put another socket in the place of ${path}; make it the directory of root, or of the user who listens`
}
