/**
 * Writes a large file piece by piece: for its owner alone (0600), beside its place until the disk has all of it, and put
 * there then. A file of that name is always a whole one.
 */
import { open, rename, rm } from 'node:fs/promises'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { keepNames, PRIVATE_MODE } from './replace-file.ts'

/**
 * @returns how many bytes were written
 * @throws IdentityError UNAVAILABLE when it cannot be written, and whatever `pieces` throws; nothing is left of it then
 */
export async function replaceByStream(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<number> {
  const temporary = `${path}.tmp`
  let bytes = 0
  try {
    await onDisk(path, rm(temporary, { force: true })) // left by a crash
    await using file = await onDisk(path, open(temporary, 'ax', PRIVATE_MODE))
    for await (const piece of pieces) {
      await onDisk(path, file.appendFile(piece))
      bytes += piece.byteLength
    }
    await onDisk(path, file.sync())
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
  await onDisk(path, rename(temporary, path))
  await onDisk(path, keepNames(path))
  return bytes
}

async function onDisk<T>(path: string, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    const why = `cannot write ${path}: ${reasonOf(error)}`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  }
}
