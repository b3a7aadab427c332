/**
 * Keys in `keys.json`, in the form of SPIRE's disk KeyManager, so that either agent can go on with the other's. Mode
 * 0600; keys of other names are kept as they are.
 */
import type { KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseStoredKey, readKeysFile, writeKeysFile } from '../../disk/keys-file.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { toPkcs8 } from '../../spiffe/key.ts'
import { AGENT_KEY_IDS, type AgentKeyId, type KeyStore } from './key-store.ts'

const ADVICE = 'remove it, and start the agent with a new join token'

/** @throws IdentityError CONFIG_INVALID when the directory cannot be used or the file is damaged */
export async function openDiskKeys(directory: string): Promise<KeyStore> {
  const path = join(directory, 'keys.json')
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 })
  } catch (error) {
    const why = `cannot make the directory of the disk KeyManager, ${directory}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
  let { keys: stored } = await readKeysFile(path, ADVICE)
  const keys = new Map<AgentKeyId, KeyObject>()
  for (const id of AGENT_KEY_IDS) {
    const pkcs8 = stored.get(id)
    if (pkcs8 !== undefined) keys.set(id, parseStoredKey(path, id, pkcs8, ADVICE))
  }
  return {
    persistent: true,
    keys: () => keys,
    async put(id, key) {
      const next = new Map([...stored, [id, toPkcs8(key)]])
      await writeKeysFile(path, next)
      stored = next
      keys.set(id, key)
    },
  }
}
