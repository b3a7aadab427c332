/**
 * Reads a configuration file from disk: UTF-8, of bounded size. Everything that judges its content
 * is pure and lies elsewhere.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { MAX_CONFIG_BYTES, showText } from './tree.ts'

/** For the file that `-config` names. */
export const CONFIG_HINT = 'another path, given by the -config flag'

/**
 * @param expected what to do when the file cannot be read
 * @throws IdentityError CONFIG_INVALID
 */
export function readText(path: string, expected = 'a file that can be read'): string {
  const shown = showText(resolve(path))
  const refuse = (message: string, cause?: unknown): never => {
    throw new IdentityError('CONFIG_INVALID', message, { cause })
  }
  let bytes: Uint8Array
  try {
    bytes = readBounded(path)
  } catch (error) {
    return refuse(`unable to read ${shown}: ${codeOf(error)} (expected ${expected})`, error)
  }
  if (bytes.length > MAX_CONFIG_BYTES) {
    refuse(`${shown} is too large (expected at most ${MAX_CONFIG_BYTES} bytes)`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    return refuse(`${shown} is not text (expected UTF-8)`, error)
  }
}

/** Reads one byte more than is allowed, so that endless files end too. */
function readBounded(path: string): Uint8Array {
  const bytes = Buffer.alloc(MAX_CONFIG_BYTES + 1)
  const file = openSync(path, 'r')
  try {
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null)
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

/** `ENOENT` and its like say it shorter than the message, which repeats the path. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : reasonOf(error)
}
