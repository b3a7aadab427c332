/** The directory of a process's own files: made when it is not there, refused when it cannot be used. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

/** Others may pass through it to a socket, if that lies in it; every file in it is 0600. */
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
