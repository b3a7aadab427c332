/**
 * Which of the servers of one store this is: a key made once and kept in the data directory, so that a restart finds its
 * journal, its authorities and what it has signed. Whoever copies the directory copies the key; `presence` tells the two apart.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../disk/read-json.ts'
import { replaceFile } from '../../disk/replace-file.ts'

/** SQLite serves one server only; its key has always been this. */
export const ONLY_SERVER_KEY = 'server'

const FILE = 'server-key.json'
const MAX_BYTES = 1_024
const SCHEMA = z.strictObject({ serverKey: z.uuid() })

/** @throws IdentityError CONFIG_INVALID when the file is damaged: a new key would leave the old authorities to nobody */
export async function keptServerKey(dataDir: string): Promise<string> {
  const path = join(dataDir, FILE)
  const advice =
    'restore it, or remove it to join as a new server with new authorities (and forget the old one with `steeple servers forget`)'
  const kept = await readJson(path, SCHEMA, { advice, maxBytes: MAX_BYTES })
  if (kept !== undefined) return kept.serverKey
  const serverKey = randomUUID()
  await replaceFile(path, `${JSON.stringify({ serverKey })}\n`, { durable: true })
  return serverKey
}
