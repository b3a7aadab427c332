import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import Sqlite from 'better-sqlite3'
import type { Kysely } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MIGRATIONS } from '../../../../server/store/sqlite/migrations.ts'
import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../../server/store/store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { idOf, newEntry, selectorsOf } from '../../entries/sample-entry.ts'
import { bundle, partner } from '../sample-bundle.ts'

let directory: string
let path: string
const opened: Store[] = []
const children: ChildProcess[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'steeple-store-'))
  path = join(directory, 'store.sqlite3')
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const store of opened.splice(0)) await store.close()
  rmSync(directory, { recursive: true })
})

async function open(at = path): Promise<Store> {
  const store = await openStore({ path: at, clock: systemClock, lockWaitMs: 20 })
  opened.push(store)
  return store
}

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringMatching(message) })

/** A server in a process of its own that writes until it is killed. */
function startWriter() {
  const program = join(import.meta.dirname, 'write-until-killed.ts')
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout }), complaint: text(child.stderr) }
}

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

test('what was written is there after closing and opening again', async () => {
  const first = await open()
  await first.entries.create([newEntry({ id: 'x' })])
  await first.close()
  const second = await open()
  expect(await second.entries.find('x')).toMatchObject({ id: 'x' })
  expect(await second.changes.latest()).toBe(1)
})

test('the database and the files beside it are for their owner only', async () => {
  const store = await open()
  await store.entries.create([newEntry()])
  const files = readdirSync(directory)
  expect(files.length).toBeGreaterThan(1)
  for (const file of files) expect([file, modeOf(join(directory, file))]).toEqual([file, '600'])
})

test('a database that others could read is closed to them', async () => {
  await (await open()).close()
  chmodSync(path, 0o644)
  await open()
  expect(modeOf(path)).toBe('600')
})

test('closing leaves one file', async () => {
  const store = await open()
  await store.entries.create([newEntry()])
  await store.close()
  expect(readdirSync(directory)).toEqual(['store.sqlite3'])
})

test('refuses a directory that does not exist, and says what to do', async () => {
  await expect(open(join(directory, 'none', 'store.sqlite3'))).rejects.toThrow(
    unavailable(/directory .*none does not exist, create it first/),
  )
})

test('refuses a directory in place of a file', async () => {
  await expect(open(directory)).rejects.toThrow(unavailable(/cannot open database/))
})

test('refuses a file that is no database, and leaves it as it is', async () => {
  const letter = 'this is a letter, not a database. '.repeat(100)
  writeFileSync(path, letter)
  await expect(open()).rejects.toThrow(unavailable(/file is not a database/))
  expect(readFileSync(path, 'utf8')).toBe(letter)
})

test('refuses a database that a newer version has written', async () => {
  await (await open()).close()
  const newer = new Sqlite(path)
  newer.exec(`insert into kysely_migration values ('9999-future', '2040-01-01T00:00:00.000Z')`)
  newer.close()
  await expect(open()).rejects.toThrow(unavailable(/written by a newer one\?/))
})

test.for([
  ['that only that version reads', [['9998-next', '9998-next']]],
  [
    'two steps ahead',
    [
      ['9998-next', '0004-readers'],
      ['9999-later', '0004-readers'],
    ],
  ],
] as const)('refuses a database of a newer version %s', async ([, steps]) => {
  await (await open()).close()
  noteSteps(steps)
  await expect(open()).rejects.toThrow(unavailable(/it has 9998-next.*newer one\?/))
})

test('goes on with a database of the next version where that has noted that it can, and says so', async () => {
  await (await open()).close()
  noteSteps([['9998-next', '0004-readers']])
  for (const migrates of [true, false]) {
    const ahead: string[] = []
    const onAhead = (name: string) => ahead.push(name)
    await using store = await openStore({ path, clock: systemClock, migrates, onAhead })
    await store.entries.create([newEntry({ id: `x${migrates}`, spiffeId: idOf(`/${migrates}`) })])
    expect(ahead).toEqual(['9998-next'])
  }
})

test('carries out what is missing, and notes who can go on after it', async () => {
  await (await open()).close()
  const next = {
    name: '9998-next',
    oldestReader: '0004-readers',
    load: async () => ({
      up: async (db: Kysely<unknown>) => {
        await db.schema.alterTable('entries').addColumn('next_note', 'text').execute()
      },
    }),
  }
  const migrations = [...MIGRATIONS, next]
  await using store = await openStore({ path, clock: systemClock, migrations })
  await store.close()
  await using back = await open()
  await back.entries.create([newEntry({ id: 'x' })])
  expect(await back.entries.find('x')).toMatchObject({ id: 'x' })
})

function noteSteps(steps: readonly (readonly [string, string])[]): void {
  const newer = new Sqlite(path)
  for (const [name, reader] of steps) {
    newer.prepare("insert into kysely_migration values (?, '2040')").run(name)
    newer.prepare('insert into schema_readers values (?, ?)').run(name, reader)
  }
  newer.close()
}

test('refuses a second store on the same file, and the first one goes on', async () => {
  const first = await open()
  await expect(open()).rejects.toThrow(unavailable(/another server has it open/))
  await first.entries.create([newEntry({ id: 'x' })])
  expect(await first.entries.find('x')).toBeDefined()
})

test('refuses the file of another server that is alive, also after one refusal', async () => {
  const { lines } = startWriter()
  await once(lines, 'line')
  await expect(open()).rejects.toThrow(unavailable(/another server has it open/))
  await expect(open()).rejects.toThrow(unavailable(/another server has it open/))
})

test('a refused second store does not open the door for another server', async () => {
  await open()
  await expect(open()).rejects.toThrow(unavailable(/another server has it open/))
  const { lines, complaint } = startWriter()
  const wrote: string[] = []
  lines.on('line', (line) => wrote.push(line))
  expect(await complaint).toContain('another server has it open')
  expect(wrote).toEqual([])
})

test('removing entries, nodes and bundles leaves no row behind', async () => {
  const store = await open()
  await store.bundles.update(partner, () => bundle())
  await store.entries.create([newEntry({ id: 'x', federatesWith: [partner] })])
  const id = idOf('/spire/agent/x509pop/one')
  const attestation = { attestationType: 'x509pop', serialNumber: '1', expiresAt: new Date(0) }
  const selectors = selectorsOf('a:1')
  await store.nodes.attest({ ...attestation, id, canReattest: true, selectors })
  await store.nodes.remove(id)
  await store.entries.remove(['x'])
  await store.bundles.remove(partner, 'restrict')
  await store.close()
  const raw = new Sqlite(path, { readonly: true })
  const tables = [
    'entries',
    'entry_selectors',
    'entry_federates_with',
    'nodes',
    'node_selectors',
    'bundles',
  ]
  const counts = tables.map((table) => raw.prepare(`select count(*) from ${table}`).pluck().get())
  raw.close()
  expect(counts).toEqual(tables.map(() => 0))
})

test('the database holds no join token in the clear', async () => {
  const store = await open()
  await store.joinTokens.create({ token: 'very-secret-token', expiresAt: new Date(0) })
  await store.close()
  expect(readFileSync(path).includes('very-secret-token')).toBe(false)
})

test('kill -9 loses no write that was acknowledged, and the next server needs no cleaning up', async () => {
  for (const linesUntilKill of [5, 200, 1500]) {
    const acknowledged = await killAfter(linesUntilKill)
    const store = await open()
    const found = await store.entries.findMany(acknowledged)
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(acknowledged))
    await expectWholeLog(store)
    await store.close()
    rmSync(path)
  }
})

/** @returns every ID the writer printed before it died, which it did in the middle of writing */
async function killAfter(count: number): Promise<readonly string[]> {
  const { child, lines, complaint } = startWriter()
  const acknowledged: string[] = []
  lines.on('line', (id) => {
    acknowledged.push(id)
    if (acknowledged.length === count) child.kill('SIGKILL')
  })
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  expect([child.signalCode, await complaint]).toEqual(['SIGKILL', ''])
  expect(acknowledged.length).toBeGreaterThanOrEqual(count)
  return acknowledged
}

/** Each entry has its record and each record its entry: none was committed without the other. */
async function expectWholeLog({ changes, entries }: Store): Promise<void> {
  const latest = await changes.latest()
  expect(latest).toBe(await entries.count({}))
  const keys: string[] = []
  for (let place = 0; place < latest; ) {
    const after = await changes.after(place, 1000)
    if (after.kind === 'pruned') throw new Error('the log was pruned')
    expect(after.changes.map(({ sequence }) => sequence)).toEqual(
      after.changes.map((_, i) => place + i + 1),
    )
    keys.push(...after.changes.map(({ key }) => key))
    place += after.changes.length
  }
  expect(await entries.findMany(keys)).toHaveLength(latest)
}

test('more writes than may wait are refused, and those that wait are done', async () => {
  const store = await open()
  const writes = Array.from({ length: 10_001 }, (_, i) =>
    store.joinTokens.create({ token: `${i}`, expiresAt: new Date(0) }),
  )
  const results = await Promise.allSettled(writes)
  const refused = results.filter(({ status }) => status === 'rejected')
  expect(refused).toEqual([{ status: 'rejected', reason: unavailable(/10000 writes are waiting/) }])
})

test('two stores in memory know nothing of each other', async () => {
  const [one, two] = [await open(':memory:'), await open(':memory:')]
  await one.entries.create([newEntry({ id: 'x', spiffeId: idOf('/x') })])
  expect(await two.entries.find('x')).toBeUndefined()
})

test('with migrations disabled a new database is set up, and one of this version is used', async () => {
  for (let run = 0; run < 2; run++) {
    await using store = await openStore({ path, clock: systemClock, migrates: false })
    await store.checkHealth()
  }
})

test('with migrations disabled a database of an older version is refused, and left as it is', async () => {
  await (await openStore({ path, clock: systemClock })).close()
  const older = new Sqlite(path)
  older.exec("drop table schema_readers; delete from kysely_migration where name = '0004-readers'")
  older.close()
  await expect(openStore({ path, clock: systemClock, migrates: false })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/older version \(it lacks 0004-readers\).*disable_migration/),
  })
  await using store = await openStore({ path, clock: systemClock })
  await store.checkHealth()
})

test('tells every statement that is carried out, and none of the values, which may be secret', async () => {
  const told: string[] = []
  await using store = await openStore({
    path: ':memory:',
    clock: systemClock,
    onSql: (sql) => told.push(sql),
  })
  await store.joinTokens.create({ token: 'secret-token', expiresAt: new Date(0) })
  expect(told).toContainEqual(expect.stringMatching(/insert .*join_tokens/s))
  expect(told.join()).not.toContain('secret-token')
})
