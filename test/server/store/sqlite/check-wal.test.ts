import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkWal, judgeWal } from '../../../../server/store/sqlite/check-wal.ts'
import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { idOf, newEntry } from '../../entries/sample-entry.ts'

const WRITES = 12
const FRAME_BYTES = 24 + 4096

let directory: string
/** A database as a killed server leaves it: everything that was written is in its write-ahead log. */
let path: string
let wal: Buffer

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'steeple-wal-'))
  const live = join(directory, 'live.sqlite3')
  await using store = await openStore({ path: live, clock: systemClock })
  for (let at = 0; at < WRITES; at += 1) {
    await store.entries.create([newEntry({ id: `e${at}`, spiffeId: idOf(`/e${at}`) })])
  }
  path = join(directory, 'killed.sqlite3')
  cpSync(live, path)
  wal = readFileSync(`${live}-wal`)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const judge = (bytes: Buffer) =>
  judgeWal(bytes.length, (offset, length) => bytes.subarray(offset, offset + length))

function scribbled(at: number): Buffer {
  const bytes = Buffer.from(wal)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
  return bytes
}

/** Opens a copy of the database with this write-ahead log. */
async function openWith(bytes: Buffer) {
  const copy = join(mkdtempSync(join(directory, 'copy-')), 'datastore.sqlite3')
  cpSync(path, copy)
  writeFileSync(`${copy}-wal`, bytes)
  return { copy, opening: openStore({ path: copy, clock: systemClock }) }
}

test('the write-ahead log of a killed server is good, and holds every write', async () => {
  expect(judge(wal)).toEqual({ kind: 'good' })
  const { opening } = await openWith(wal)
  await using store = await opening
  expect(await store.entries.find(`e${WRITES - 1}`)).toBeDefined()
})

test('a log that ends anywhere is what a crash leaves, and is not refused', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: wal.length }), (end) => {
      expect(judge(wal.subarray(0, end))).toEqual({ kind: 'good' })
    }),
  )
})

test('a byte that changed before the last two commits is found, wherever it is', () => {
  const lastBytes = 24 * FRAME_BYTES
  expect(wal.length).toBeGreaterThan(2 * lastBytes)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: wal.length - lastBytes }), (at) => {
      expect(judge(scribbled(at)).kind).not.toBe('good')
    }),
  )
})

test('what follows the salt of an older log is no part of this one', () => {
  const older = Buffer.from(wal)
  for (let at = 32 + 10 * FRAME_BYTES; at < older.length; at += FRAME_BYTES)
    older.fill(7, at + 8, at + 16)
  expect(judge(older)).toEqual({ kind: 'good' })
})

test('no bytes whatever break the reader', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4_000 }), (bytes) => {
      const head = Buffer.concat([wal.subarray(0, 32), bytes])
      expect(['good', 'damaged']).toContain(judge(head).kind)
      expect(['good', 'no-header', 'damaged']).toContain(judge(Buffer.from(bytes)).kind)
    }),
  )
})

test('a database with a damaged log is not opened without what the log held, and is left as it is', async () => {
  const damaged = scribbled(32 + 3 * FRAME_BYTES + 100)
  const { copy, opening } = await openWith(damaged)
  await expect(opening).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /write-ahead log .*-wal of the database is damaged: frame 4 is not as it was written, and \d+ commits would be lost with it; restore it and .* from one backup, or move the log away/,
    ),
  })
  expect(readFileSync(`${copy}-wal`)).toEqual(damaged)
})

test('a log whose first bytes are gone is refused', async () => {
  const { opening } = await openWith(scribbled(0))
  await expect(opening).rejects.toThrow('its first bytes are not those of a write-ahead log')
})

test('a database without a log is not looked at', () => {
  expect(statSync(path).size).toBeGreaterThan(0)
  expect(() => checkWal(path)).not.toThrow()
})
