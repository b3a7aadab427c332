/**
 * Private keys in one JSON file, in the form of SPIRE's disk KeyManager (base64 of PKCS#8 by name), which either program
 * reads. The file is for its owner only and replaced as a whole; no message ever quotes it.
 */
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { parsePkcs8 } from '../spiffe/key.ts'
import { isOpenToOthers, readJson } from './read-json.ts'
import { replaceFile } from './replace-file.ts'

/** PKCS#8, DER, by name. */
export type StoredKeys = ReadonlyMap<string, Uint8Array>

/** Six keys of the largest kind are 16 KiB. */
const MAX_FILE_BYTES = 1 << 20

const FILE = z.object({ keys: z.record(z.string(), z.base64()) })

export interface KeysFile {
  readonly keys: StoredKeys
  /** Others than its owner may read it. */
  readonly isOpenToOthers: boolean
}

/**
 * @param advice ends the message of a damaged file
 * @returns no keys when there is no such file
 * @throws IdentityError CONFIG_INVALID
 */
export async function readKeysFile(path: string, advice: string): Promise<KeysFile> {
  const file = await readJson(path, FILE, { advice, maxBytes: MAX_FILE_BYTES })
  if (file === undefined) return { keys: new Map(), isOpenToOthers: false }
  const keys = Object.entries(file.keys).map(
    ([name, base64]) => [name, Buffer.from(base64, 'base64')] as const,
  )
  return { keys: new Map(keys), isOpenToOthers: await isOpenToOthers(path) }
}

/** @throws IdentityError CONFIG_INVALID, naming the key and quoting nothing of it */
export function parseStoredKey(
  path: string,
  name: string,
  pkcs8: Uint8Array,
  advice: string,
): KeyObject {
  try {
    return parsePkcs8(pkcs8)
  } catch (error) {
    const why = `${path} is damaged: key ${name} is ${reasonOf(error)}; ${advice}`
    throw new IdentityError('CONFIG_INVALID', why)
  }
}

/** @throws IdentityError UNAVAILABLE: the disk may take it later */
export async function writeKeysFile(path: string, keys: StoredKeys): Promise<void> {
  const encoded = [...keys]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, pkcs8]) => [name, Buffer.from(pkcs8).toString('base64')])
  const text = JSON.stringify({ keys: Object.fromEntries(encoded) }, null, '\t')
  try {
    await replaceFile(path, text, { durable: true })
  } catch (error) {
    const why = `cannot write keys file ${path}: ${reasonOf(error)}; its directory must exist and be writable`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  }
}
