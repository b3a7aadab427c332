/**
 * Keeps a copy of a keys file beside it, `.kept-1` and so on, for its owner only. No copy is ever written over another one:
 * the first is often the one that matters. What is kept already is not kept twice.
 */
import { readFile } from 'node:fs/promises'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { replaceFile } from './replace-file.ts'

/** More would pile up private keys that nobody looks after. */
const MAX_COPIES = 9

/**
 * @returns the path of the copy; undefined when there is no such file
 * @throws IdentityError UNAVAILABLE when it cannot be read or written, or there are `MAX_COPIES` already
 */
export async function keepKeysFile(path: string): Promise<string | undefined> {
  try {
    const text = await textOf(path)
    if (text === undefined) return undefined
    for (let at = 1; at <= MAX_COPIES; at += 1) {
      const copy = `${path}.kept-${at}`
      const there = await textOf(copy)
      if (there === undefined) await replaceFile(copy, text, { durable: true })
      if (there === undefined || there === text) return copy
    }
  } catch (error) {
    const why = `cannot keep a copy of keys file ${path} before its keys are replaced: ${reasonOf(error)}; its directory must be writable and have room`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  }
  throw new IdentityError(
    'UNAVAILABLE',
    `keys file ${path} holds keys that would be replaced, and ${MAX_COPIES} copies of such files (.kept-1 and so on) are beside it; move away those that are still needed and remove the others`,
  )
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // Cast: what node:fs rejects with.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
