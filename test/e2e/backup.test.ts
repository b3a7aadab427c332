/** A restore that is killed at any moment, a disk that is full: what is there afterwards is nothing or the whole. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { stderr } from 'node:process'
import { expect, test } from 'vitest'
import { openStore } from '../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { type BackupPlace, backupPlace } from '../cli/server/backup/backup-place.ts'
import { startServer, steeple } from '../processes/cluster.ts'
import { run, start } from '../processes/process.ts'
import { idOf, newEntry } from '../server/entries/sample-entry.ts'

const ENTRIES = 30_000
const AT_ONCE = 1_000

/** A backup of many entries, of a server that is not running. */
async function makeBackup(place: BackupPlace): Promise<string> {
  {
    const path = place.file('datastore.sqlite3')
    await using store = await openStore({ path, clock: systemClock })
    for (let start = 0; start < ENTRIES; start += AT_ONCE) {
      const batch = Array.from({ length: AT_ONCE }, (_, index) =>
        newEntry({ id: `e${start + index}`, spiffeId: idOf(`/w${start + index}`) }),
      )
      await store.entries.create(batch)
    }
  }
  writeFileSync(place.file('keys.json'), '{"keys":{}}', { mode: 0o600 })
  const words = ['-config', place.config, '-recipient', place.recipient]
  const made = await run(steeple, ['server', 'backup', place.file('backup'), ...words])
  expect([made.code, made.stderr]).toEqual([0, ''])
  return place.file('backup')
}

async function entriesIn(place: BackupPlace): Promise<number> {
  await using store = await openStore({ path: place.file('datastore.sqlite3'), clock: systemClock })
  return await store.entries.count({})
}

const sizeOf = (path: string) => (existsSync(path) ? statSync(path).size : 0)

test('a restore that is killed leaves an empty store or the whole one, and can be done again', async () => {
  using from = backupPlace()
  const file = await makeBackup(from)
  const seen: number[] = []
  const moments: readonly (readonly [string, (to: BackupPlace) => boolean])[] = [
    ['the store has been made', (to) => existsSync(to.file('datastore.sqlite3'))],
    ['the keys are there', (to) => existsSync(to.file('keys.json'))],
    ['something is written', (to) => sizeOf(to.file('datastore.sqlite3-wal')) > 1_000_000],
    ['more is written', (to) => sizeOf(to.file('datastore.sqlite3-wal')) > 8_000_000],
  ]
  for (const [moment, isReached] of moments) {
    using to = backupPlace()
    const words = ['-config', to.config, '-identity', from.identity]
    const restore = ['server', 'restore', file, ...words]
    await using running = start(steeple, restore)
    let isOver = false
    void running.ended.then(() => {
      isOver = true
    })
    await expect.poll(() => isOver || isReached(to), { interval: 1, timeout: 60_000 }).toBe(true)
    running.kill('SIGKILL')
    await running.ended
    const entries = await entriesIn(to)
    expect([0, ENTRIES], moment).toContain(entries)
    seen.push(entries)
    const again = await run(steeple, [...restore, ...(entries === 0 ? [] : ['-force'])])
    expect([moment, again.code]).toEqual([moment, 0])
    expect(await entriesIn(to)).toBe(ENTRIES)
  }
  expect(seen).toContain(0) // some were killed in the middle
})

/** A file system of a few pages that root can make; undefined where that is forbidden. */
function smallDisk(path: string, size: string): Disposable | undefined {
  mkdirSync(path)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path])
  if (mounted.status !== 0) return undefined
  return { [Symbol.dispose]: () => void spawnSync('umount', [path]) }
}

test('on a full disk there is no backup, and the one that was there stays', async () => {
  using place = backupPlace()
  using disk = smallDisk(place.file('small'), '1m')
  if (disk === undefined) {
    stderr.write(
      'SKIPPED on a full disk there is no backup: needs root, to mount a small file system\n',
    )
    return
  }
  await using server = await startServer('steeple')
  const recipient = ['-recipient', place.recipient]
  const backup = () => server.cli('steeple', 'backup', place.file('small/backup'), ...recipient)
  expect((await backup()).code).toBe(0)
  const before = statSync(place.file('small/backup'))
  writeFileSync(place.file('small/other'), Buffer.alloc(1024 * 1024 - before.size - 8_192))
  const { code, stderr: told } = await backup()
  expect([code, told]).toEqual([1, expect.stringMatching(/^Error: cannot write .*ENOSPC/)])
  expect(statSync(place.file('small/backup')).ino).toBe(before.ino)
  expect(readdirSync(place.file('small'))).toEqual(['backup', 'other'])
})
