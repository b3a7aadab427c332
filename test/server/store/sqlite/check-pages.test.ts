import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { idOf, newEntry } from '../../entries/sample-entry.ts'

const PAGE_BYTES = 4096

let directory: string
/** A database that was closed in order: all of it is in this one file. */
let whole: string
let pages: number
let copies = 0

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'steeple-pages-'))
  whole = join(directory, 'whole.sqlite3')
  const store = await openStore({ path: whole, clock: systemClock })
  for (let at = 0; at < 60; at += 1) {
    await store.entries.create([newEntry({ id: `e${at}`, spiffeId: idOf(`/e${at}`) })])
  }
  await store.caJournal.save('server', Buffer.from('who signs'))
  await store.close()
  pages = readFileSync(whole).length / PAGE_BYTES
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function copyOf(damage: (path: string) => void): string {
  copies += 1
  const path = join(directory, `copy-${copies}.sqlite3`)
  cpSync(whole, path)
  damage(path)
  return path
}

function overwrite(path: string, page: number, byte: number): void {
  const bytes = readFileSync(path)
  bytes.fill(byte, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  writeFileSync(path, bytes)
}

test('a database whose file was cut off is refused, and left as it is', async () => {
  const path = copyOf((copy) => truncateSync(copy, (pages - 3) * PAGE_BYTES))
  const before = readFileSync(path)
  await expect(openStore({ path, clock: systemClock })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /database .*: .+; no new authorities were made; restore a backup/,
    ),
  })
  expect(readFileSync(path).subarray(PAGE_BYTES)).toEqual(before.subarray(PAGE_BYTES))
})

test('whichever page is overwritten: the database is refused with advice, or all that was written is there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: pages - 1 }),
      fc.constantFrom(0x00, 0x5a, 0xff),
      async (page, byte) => {
        const path = copyOf((copy) => overwrite(copy, page, byte))
        try {
          await using store = await openStore({ path, clock: systemClock })
          expect(await store.entries.count({})).toBe(60)
          expect(await store.caJournal.load('server')).toEqual(Buffer.from('who signs'))
        } catch (error) {
          if (!(error instanceof IdentityError)) throw error
          expect(error.code).toBe('UNAVAILABLE')
          expect(error.message).toMatch(/restore a backup/)
        } finally {
          rmSync(path, { force: true })
        }
      },
    ),
    { numRuns: 60 },
  )
})
