/** The directory that `steeple dev` lives in. Nothing of it stays: neither what was made in it, nor it itself. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { IdentityError } from '../../spiffe/error.ts'
import { toFileError } from '../output/file-error.ts'

export interface DevDirectory extends Disposable {
  readonly path: string
  /** Removes it; may be called more than once. */
  remove(): void
}

const OWNER_ONLY = 0o700
/** What the kernel takes as the path of a Unix socket, less the name of ours. */
const MAX_PATH_BYTES = 90

/** @param wanted empty for one under the directory for temporary files */
export function openDevDirectory(wanted: string): DevDirectory {
  const { path, made } = wanted === '' ? makeTemporary() : makeNamed(resolve(wanted))
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new IdentityError(
      'REQUEST_INVALID',
      `${path} is too long for the sockets in it, choose a directory of at most ${MAX_PATH_BYTES} bytes`,
    )
  }
  const remove = () => {
    const all = made ?? readdirSync(path).map((name) => join(path, name))
    for (const one of all) rmSync(one, { recursive: true, force: true })
  }
  return { path, remove, [Symbol.dispose]: remove }
}

interface Made {
  readonly path: string
  /** What was made for it, and goes with it; undefined when it was there already. */
  readonly made: readonly string[] | undefined
}

function makeTemporary(): Made {
  const base = join(tmpdir(), 'steeple-dev-')
  try {
    const path = mkdtempSync(base)
    return { path, made: [path] }
  } catch (error) {
    throw toFileError(error, base)
  }
}

function makeNamed(path: string): Made {
  try {
    const topmost = mkdirSync(path, { recursive: true, mode: OWNER_ONLY })
    if (readdirSync(path).length === 0) {
      return { path, made: topmost === undefined ? undefined : [topmost] }
    }
  } catch (error) {
    throw toFileError(error, path)
  }
  // It is emptied in the end, so nothing of anybody else may be in it.
  throw new IdentityError(
    'REQUEST_INVALID',
    `${path} is not empty, choose a new or empty directory`,
  )
}
