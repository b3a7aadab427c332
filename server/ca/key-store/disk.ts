/**
 * Keys in one JSON file, in the form of SPIRE's disk KeyManager: either program reads what the other
 * wrote. The file is for its owner only, and replaced as a whole: a crash leaves the old or the new one.
 */
import type { KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import { replaceFile } from '../../../disk/replace-file.ts'
import type { Log } from '../../../log/open-log.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { generateKey, parsePkcs8, toPkcs8 } from '../../../spiffe/key.ts'
import { createTurns } from '../in-turn.ts'
import type { KeyStore } from './key-store.ts'

export interface DiskKeyStoreOptions {
  readonly path: string
  readonly log: Pick<Log, 'warn'>
}

/** Six keys of the largest kind are 16 KiB. */
const MAX_FILE_BYTES = 1024 * 1024
const OTHERS = 0o077

/** PKCS#8 DER in base64, by key ID. */
const keysFile = z.object({ keys: z.record(z.string(), z.base64()) })

/** @throws IdentityError UNAVAILABLE when the file cannot be read or is not such a file */
export async function openDiskKeyStore({ path, log }: DiskKeyStoreOptions): Promise<KeyStore> {
  const text = await readKeysFile(path, log)
  let keys: ReadonlyMap<string, KeyObject> = text === undefined ? new Map() : parseKeys(path, text)
  const inTurn = createTurns(`keys file ${path}`)
  return {
    generate: (keyId, type) =>
      inTurn(async () => {
        const key = await generateKey(type)
        const next = new Map([...keys, [keyId, key]])
        await writeKeysFile(path, formatKeys(next))
        keys = next
        return key
      }),
    load: async (keyId) => keys.get(keyId),
  }
}

async function readKeysFile(path: string, log: Pick<Log, 'warn'>): Promise<string | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY)
    const { mode, size } = await file.stat()
    if (size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`)
    if ((mode & OTHERS) !== 0) {
      log.warn({ path }, 'Keys file can be read by others, change its mode to 0600')
    }
    return await file.readFile('utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw keysError(`cannot read keys file ${path}: ${reasonOf(error)}`, error)
  }
}

function parseKeys(path: string, text: string): ReadonlyMap<string, KeyObject> {
  try {
    const { keys } = keysFile.parse(JSON.parse(text))
    return new Map(
      Object.entries(keys).map(([keyId, der]) => [keyId, parsePkcs8(Buffer.from(der, 'base64'))]),
    )
  } catch {
    // The reason is not passed on: what a parser says may quote the file.
    throw keysError(
      `keys file ${path} is damaged: restore it, or remove it to let the server make new authorities`,
      undefined,
    )
  }
}

function formatKeys(keys: ReadonlyMap<string, KeyObject>): string {
  const encoded = [...keys]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([keyId, key]) => [keyId, toPkcs8(key).toString('base64')])
  return JSON.stringify({ keys: Object.fromEntries(encoded) }, null, '\t')
}

async function writeKeysFile(path: string, content: string): Promise<void> {
  try {
    await replaceFile(path, content, { durable: true })
  } catch (error) {
    throw keysError(
      `cannot write keys file ${path}: ${reasonOf(error)}; its directory must exist and be writable`,
      error,
    )
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function keysError(message: string, cause: unknown): IdentityError {
  return new IdentityError('UNAVAILABLE', message, { cause })
}
