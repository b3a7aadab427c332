/** Files of CAs that the configuration names, whole and as they are: what is in them is judged by whoever trusts them. */
import { readFileSync } from 'node:fs'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

/**
 * @param key the whole name of the configuration's key that names it
 * @returns its text, not looked at
 * @throws IdentityError CONFIG_INVALID naming both
 */
export function readCaFile(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = `cannot read ${key} ${JSON.stringify(path)}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}
