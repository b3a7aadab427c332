/** The directory of the Workload API's socket: made when it is not there, refused when it cannot be made. */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

const DIRECTORY_MODE = 0o755

/**
 * Workloads of every user must reach the socket, whatever the umask; what was there before is left as it is.
 * @throws IdentityError CONFIG_INVALID
 */
export function prepareSocketDir(socketPath: string): void {
  const directory = dirname(socketPath)
  try {
    const topmost = mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
    if (topmost === undefined) return
    for (let made = directory; made.length >= topmost.length; made = dirname(made)) {
      chmodSync(made, DIRECTORY_MODE)
    }
  } catch (error) {
    const why = `cannot make the directory of socket_path ${socketPath}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}
