/**
 * Writes files that hold secrets or state: readable by their owner alone (0600), and complete at every moment. Who
 * reads after a crash finds the old content or the new one.
 */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface ReplaceOptions {
  /** Waits until the disk has it: survives a power cut, not only a kill. */
  readonly durable: boolean
}

/** For its owner alone. */
export const PRIVATE_MODE = 0o600

/** One writer per path: callers do not write the same file twice at the same time. */
export async function replaceFile(
  path: string,
  content: string,
  { durable }: ReplaceOptions,
): Promise<void> {
  const temporary = `${path}.tmp`
  await rm(temporary, { force: true }) // left by a crash, perhaps with another mode
  {
    await using file = await open(temporary, 'wx', PRIVATE_MODE)
    await file.writeFile(content)
    if (durable) await file.sync()
  }
  await rename(temporary, path)
  if (durable) await keepNames(path)
}

/** Waits until the disk has what the directory of `path` names. */
export async function keepNames(path: string): Promise<void> {
  await using directory = await open(dirname(path), 'r')
  await directory.sync()
}
