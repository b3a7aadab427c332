/** The directories that the agent needs: made when they are not there, refused when they cannot be used. */
import { accessSync, chmodSync, constants, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

/** Others may pass through it to the socket, if that lies in it; every file in it is 0600. */
const DIRECTORY_MODE = 0o755

/** @throws IdentityError CONFIG_INVALID */
export function prepareDataDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new IdentityError(
      'CONFIG_INVALID',
      `data_dir ${path} cannot be used (${reasonOf(error)}); choose a directory this user may write to`,
      { cause: error },
    )
  }
}

/** Workloads of every user must reach the socket, whatever the umask; what was there before is left as it is. */
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
