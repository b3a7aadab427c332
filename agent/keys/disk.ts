/**
 * Keys in `keys.json`, in the form of SPIRE's disk KeyManager (base64 of PKCS#8), so that either agent can go on
 * with the other's. Mode 0600; keys of other names are kept as they are.
 */
import type { KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../disk/read-json.ts'
import { replaceFile } from '../../disk/replace-file.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parsePkcs8, toPkcs8 } from '../../spiffe/key.ts'
import { AGENT_KEY_IDS, type AgentKeyId, type KeyStore } from './key-store.ts'

const FILE = z.object({ keys: z.record(z.string(), z.base64()).nullish() })
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
  const written = new Map(Object.entries((await readJson(path, FILE, ADVICE))?.keys ?? {}))
  const keys = new Map<AgentKeyId, KeyObject>()
  for (const id of AGENT_KEY_IDS) {
    const pkcs8 = written.get(id)
    if (pkcs8 !== undefined) keys.set(id, parseKey(path, id, pkcs8))
  }
  return {
    persistent: true,
    keys: () => keys,
    async put(id, key) {
      written.set(id, toPkcs8(key).toString('base64'))
      const text = JSON.stringify({ keys: Object.fromEntries(written) }, null, '\t')
      await replaceFile(path, text, { durable: true })
      keys.set(id, key)
    },
  }
}

function parseKey(path: string, id: AgentKeyId, pkcs8: string): KeyObject {
  try {
    return parsePkcs8(Buffer.from(pkcs8, 'base64'))
  } catch (error) {
    const why = `${path} is damaged: key ${id} is ${reasonOf(error)}; ${ADVICE}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}
