/**
 * Keys in one JSON file, in the form of SPIRE's disk KeyManager: either program reads what the other
 * wrote. The file is for its owner only, and replaced as a whole: a crash leaves the old or the new one.
 */
import type { KeyObject } from 'node:crypto'
import { keepKeysFile } from '../../../disk/keep-keys-file.ts'
import { parseStoredKey, readKeysFile, writeKeysFile } from '../../../disk/keys-file.ts'
import type { Log } from '../../../log/open-log.ts'
import { generateKey, toPkcs8 } from '../../../spiffe/key.ts'
import { createTurns } from '../in-turn.ts'
import type { KeyStore } from './key-store.ts'

export interface DiskKeyStoreOptions {
  readonly path: string
  readonly log: Pick<Log, 'warn'>
}

const ADVICE = 'restore it, or remove it to let the server make new authorities'

/** @throws IdentityError CONFIG_INVALID when the file cannot be read or is not such a file */
export async function openDiskKeyStore({ path, log }: DiskKeyStoreOptions): Promise<KeyStore> {
  const { keys: stored, isOpenToOthers } = await readKeysFile(path, ADVICE)
  if (isOpenToOthers) log.warn({ path }, 'Keys file can be read by others, change its mode to 0600')
  let keys: ReadonlyMap<string, KeyObject> = new Map(
    [...stored].map(([keyId, pkcs8]) => [keyId, parseStoredKey(path, keyId, pkcs8, ADVICE)]),
  )
  const inTurn = createTurns(`keys file ${path}`)
  return {
    generate: (keyId, type) =>
      inTurn(async () => {
        const key = await generateKey(type)
        const next = new Map([...keys, [keyId, key]])
        await writeKeysFile(path, new Map([...next].map(([id, each]) => [id, toPkcs8(each)])))
        keys = next
        return key
      }),
    load: async (keyId) => keys.get(keyId),
    keepCopy: () => inTurn(() => keepKeysFile(path)),
  }
}
