/** What a restore does to what was there: keys that it replaces are kept, and what changed since it was verified goes nowhere. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BUNDLE_SEQUENCE_JUMP, restoreBackup } from '../../../server/backup/restore-backup.ts'
import { verifyBackup } from '../../../server/backup/verify-backup.ts'
import { writeBackup } from '../../../server/backup/write-backup.ts'
import { openDiskKeyStore } from '../../../server/ca/key-store/disk.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { openSite, SERVER_KEY, startServer, TRUST_DOMAIN } from '../ca/server-under-test.ts'

let dir: string
let store: Store
let pieces: Uint8Array[]
let sequence: number

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-restore-'))
  store = await openStore({ path: ':memory:', clock: new FakeClock() })
  const site = await openSite()
  const keysPath = join(dir, 'made.json')
  site.keyStore = await openDiskKeyStore({ path: keysPath, log: memoryLog().log })
  await startServer(site)
  sequence = (await site.store.bundles.find(parseTrustDomain(TRUST_DOMAIN)))?.sequenceNumber ?? 0
  const { clock } = site
  const deps = { dump: site.store.dump, trustDomain: TRUST_DOMAIN, serverKey: SERVER_KEY }
  pieces = []
  for await (const piece of writeBackup({ ...deps, keysPath, clock })) pieces.push(piece)
  await site.store.close()
})
afterEach(async () => {
  await store.close()
  rmSync(dir, { recursive: true })
})

async function* again(from: readonly Uint8Array[]) {
  yield* from
}
const target = () => ({
  ...{ dump: store.dump, serverKey: SERVER_KEY, isShared: false },
  keysPath: join(dir, 'keys.json'),
})

test('other keys are kept beside those that are restored', async () => {
  const present = readFileSync(join(dir, 'made.json'), 'utf8').replaceAll('-A"', '-B"')
  writeFileSync(join(dir, 'keys.json'), present, { mode: 0o600 })
  const verified = await verifyBackup(again(pieces))
  await expect(restoreBackup(target(), verified, again(pieces), false)).rejects.toThrow(/not empty/)
  expect(readFileSync(join(dir, 'keys.json'), 'utf8')).toBe(present)
  await restoreBackup(target(), verified, again(pieces), true)
  expect(readFileSync(join(dir, 'keys.json.kept-1'), 'utf8')).toBe(present)
})

test('keys that are the same already are kept nowhere', async () => {
  const verified = await verifyBackup(again(pieces))
  await restoreBackup(target(), verified, again(pieces), false)
  await restoreBackup(target(), verified, again(pieces), true)
  expect(readdirSync(dir).toSorted()).toEqual(['keys.json', 'made.json'])
})

test('a backup that is not what was verified leaves the store empty', async () => {
  const verified = { ...(await verifyBackup(again(pieces))), sha256: '0'.repeat(64) }
  const restoring = restoreBackup(target(), verified, again(pieces), false)
  await expect(restoring).rejects.toThrow(/changed between its verification and its restoration/)
  expect(await store.bundles.count()).toBe(0)
})

test('the own bundle comes back under a number that nobody outside has seen', async () => {
  const verified = await verifyBackup(again(pieces))
  await restoreBackup(target(), verified, again(pieces), false)
  const restored = await store.bundles.find(parseTrustDomain(TRUST_DOMAIN))
  expect(restored?.sequenceNumber).toBe(sequence + BUNDLE_SEQUENCE_JUMP)
})
