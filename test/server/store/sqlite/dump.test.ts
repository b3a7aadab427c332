import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import { DERIVED_TABLES, DUMPED_TABLE_NAMES } from '../../../../server/store/dump.ts'
import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { dumpContract } from '../dump-contract.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-dump-'))
afterAll(() => rmSync(dir, { recursive: true }))
let files = 0
const nextPath = () => join(dir, `${++files}.sqlite3`)
const onDisk = () => openStore({ path: nextPath(), clock: systemClock })

dumpContract('a SQLite store dumped and loaded', onDisk, onDisk, 'whole')
dumpContract(
  'a SQLite store in memory',
  () => openStore({ path: ':memory:', clock: systemClock }),
  onDisk,
  'content alone',
)

test('a snapshot is a private file beside the database, replaces what a killed process left, and goes', async () => {
  const path = nextPath()
  writeFileSync(`${path}.snapshot`, 'left by somebody')
  chmodSync(`${path}.snapshot`, 0o644)
  await using store = await openStore({ path, clock: systemClock })
  const beside = () =>
    readdirSync(dir).filter((name) => name.startsWith(`${files}.sqlite3.snapshot`))
  {
    await using _ = await store.dump.snapshot()
    expect(beside()).toContain(`${files}.sqlite3.snapshot`)
    await expect(store.dump.snapshot()).rejects.toThrow('is being made already')
  }
  expect(beside()).toEqual([])
  await using _again = await store.dump.snapshot()
})

test('every table is in a dump, made anew from it, or left out on purpose', async () => {
  const path = nextPath()
  await (await openStore({ path, clock: systemClock })).close()
  const database = new Sqlite(path, { readonly: true })
  // Cast: the column that is selected.
  const tables = database
    .prepare(`select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`)
    .pluck()
    .all() as string[]
  database.close()
  const leftOut = [
    ...['changes', 'change_log'], // begins anew
    'join_tokens', // would work a second time
    ...['servers', 'server_questions'], // who runs now
    ...['kysely_migration', 'kysely_migration_lock', 'schema_readers'],
  ]
  const known = [...DUMPED_TABLE_NAMES, ...DERIVED_TABLES.map(({ table }) => table), ...leftOut]
  expect(tables.filter((table) => !known.includes(table))).toEqual([])
})
