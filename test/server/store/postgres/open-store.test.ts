/** Opening, losing and refusing: the PostgreSQL store and the schema it finds. */
import { afterEach, expect, test } from 'vitest'
import type { Store } from '../../../../server/store/store.ts'
import { type Postgres, withPostgres } from '../../../processes/postgres.ts'
import { idOf, newEntry } from '../../entries/sample-entry.ts'
import { type OpenForTest, openPostgresStore } from './open-for-test.ts'

const opened: Store[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
})

async function open(postgres: Postgres, database: string, options: OpenForTest = {}) {
  const store = await openPostgresStore(postgres, database, options)
  opened.push(store)
  return store
}

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringMatching(message) })

/** Ends every connection of the database, again and again, as fast as it is allowed to look. */
const CUT_OFTEN = `do $$ begin
  for i in 1..60 loop
    perform pg_stat_clear_snapshot();
    perform pg_terminate_backend(pid) from pg_stat_activity
      where datname = 'cut' and backend_type = 'client backend' and pid <> pg_backend_pid();
    perform pg_sleep(0.01 + 0.02 * random());
  end loop;
end $$`

interface Writing {
  readonly acknowledged: readonly string[]
  readonly failures: readonly unknown[]
}

/** Writes entries in several lanes until it is told to end. */
async function writeUntil(store: Store, end: AbortSignal): Promise<Writing> {
  const acknowledged: string[] = []
  const failures: unknown[] = []
  const lane = async (writer: number) => {
    for (let i = 0; !end.aborted; i++) {
      const id = `${writer}-${i}`
      try {
        await store.entries.create([newEntry({ id, spiffeId: idOf(`/w/${writer}/${i}`) })])
        acknowledged.push(id)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: 4 }, (_, writer) => lane(writer)))
  return { acknowledged, failures }
}

/** Nothing acknowledged is lost; what failed was UNAVAILABLE; each entry has its record and each record its entry. */
async function expectWhole(store: Store, { acknowledged, failures }: Writing): Promise<void> {
  for (const failure of failures) expect(failure).toMatchObject({ code: 'UNAVAILABLE' })
  const found = await store.entries.findMany(acknowledged)
  expect(found).toHaveLength(acknowledged.length)
  const latest = await store.changes.latest()
  expect(await store.entries.count({})).toBe(latest)
  for (let place = 0; place < latest; ) {
    const after = await store.changes.after(place, 1000)
    if (after.kind === 'pruned') throw new Error('the log was pruned')
    expect(after.changes.map(({ sequence }) => sequence)).toEqual(
      after.changes.map((_, i) => place + i + 1),
    )
    place += after.changes.length
  }
}

withPostgres('the PostgreSQL store', (postgres) => {
  test('what was written is there after closing and opening again', async () => {
    await postgres().createDatabase('again')
    const first = await open(postgres(), 'again')
    await first.entries.create([newEntry({ id: 'x' })])
    await first.close()
    const second = await open(postgres(), 'again')
    expect(await second.entries.find('x')).toMatchObject({ id: 'x' })
    expect(await second.changes.latest()).toBe(1)
  })

  test('refuses a database that is not there, and says what to do', async () => {
    await expect(open(postgres(), 'nowhere')).rejects.toThrow(unavailable(/nowhere.*create it/s))
  })

  test('refuses a database that a newer version has written, and leaves it as it is', async () => {
    await postgres().createDatabase('newer')
    await (await open(postgres(), 'newer')).close()
    await postgres().sql("insert into kysely_migration values ('9999-future', '2040')", 'newer')
    await expect(open(postgres(), 'newer')).rejects.toThrow(
      unavailable(/it has 9999-future.*written by a newer one\?/),
    )
    expect(await postgres().sql('select count(*) from entries', 'newer')).toBe('0')
  })

  test('with migrations disabled a new database is set up, and one of this version is used', async () => {
    await postgres().createDatabase('fixed')
    for (let run = 0; run < 2; run++) {
      const store = await open(postgres(), 'fixed', { migrates: false })
      await store.checkHealth()
    }
  })

  test('with migrations disabled a database of an older version is refused, and left as it is', async () => {
    await postgres().createDatabase('older')
    await (await open(postgres(), 'older')).close()
    await postgres().sql(
      `drop table servers, server_questions, schema_readers; drop table federation_relationships;
        delete from kysely_migration where name > '0001-initial'`,
      'older',
    )
    await expect(open(postgres(), 'older', { migrates: false })).rejects.toThrow(
      unavailable(/older version \(it lacks 0002-federation.*disable_migration/),
    )
    expect(await postgres().sql("select to_regclass('servers')", 'older')).toBe('')
    await (await open(postgres(), 'older')).checkHealth()
  })

  test('a migration that fails leaves nothing behind, and says why', async () => {
    await postgres().createDatabase('taken')
    await postgres().sql('create table nodes (mine text)', 'taken')
    await expect(open(postgres(), 'taken')).rejects.toThrow(
      unavailable(/taken.*relation "nodes" already exists/s),
    )
    const tables = "select string_agg(tablename, ' ') from pg_tables where schemaname = 'public'"
    expect(await postgres().sql(tables, 'taken')).toBe('nodes')
  })

  test('servers that start at the same time on an empty database set it up once', async () => {
    await postgres().createDatabase('together')
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(postgres(), 'together')))
    for (const store of stores) await store.checkHealth()
    expect(await postgres().sql('select count(*) from change_log', 'together')).toBe('1')
  })

  test('a user who may only read and write rows uses a database that another has set up', async () => {
    await postgres().createDatabase('granted')
    await (await open(postgres(), 'granted')).close()
    await postgres().sql('revoke create on schema public from public', 'granted')
    await postgres().sql(
      `create role clerk login; grant select, insert, update, delete on all tables in schema public to clerk;
        grant usage on all sequences in schema public to clerk`,
      'granted',
    )
    const store = await open(postgres(), 'granted', { user: 'clerk' })
    await store.entries.create([newEntry({ id: 'x' })])
    expect(await store.entries.find('x')).toBeDefined()
  })

  test('a text that PostgreSQL cannot hold is refused, and takes no other write along', async () => {
    await postgres().createDatabase('text')
    const store = await open(postgres(), 'text')
    const results = await Promise.allSettled([
      store.entries.create([newEntry({ id: 'a', spiffeId: idOf('/a') })]),
      store.entries.create([newEntry({ id: 'nul', hint: 'a\0b' })]),
      store.entries.create([newEntry({ id: 'b', spiffeId: idOf('/b') })]),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: 'REQUEST_INVALID' } })
    await expect(store.entries.find('a\0')).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    expect(await store.entries.count({})).toBe(2)
    expect(await store.changes.latest()).toBe(2)
  })

  test('what looks like SQL is stored and found as the text it is', async () => {
    await postgres().createDatabase('quoted')
    const store = await open(postgres(), 'quoted')
    const nasty = [`'; drop table entries; --`, '{"a","b"}', 'a,b', '\\', '"', 'NULL', '$1', '{}']
    await store.entries.create(
      nasty.map((id, i) => newEntry({ id, hint: id, spiffeId: idOf(`/${i}`), dnsNames: [id] })),
    )
    const found = await store.entries.findMany(nasty)
    expect(new Map(found.map(({ id, hint, dnsNames }) => [id, [hint, ...dnsNames]]))).toEqual(
      new Map(nasty.map((id) => [id, [id, id]])),
    )
    for (const hint of nasty) expect(await store.entries.count({ hint })).toBe(1)
  })

  test('the database holds no join token in the clear', async () => {
    await postgres().createDatabase('secret')
    const told: string[] = []
    const store = await open(postgres(), 'secret', { onSql: (sql) => told.push(sql) })
    await store.joinTokens.create({ token: 'very-secret-token', expiresAt: new Date(0) })
    const rows = await postgres().sql('select token_hash from join_tokens', 'secret')
    expect(rows).not.toContain('very-secret')
    expect(told).toContainEqual(expect.stringMatching(/insert .*join_tokens/s))
    expect(told.join()).not.toContain('very-secret')
  })

  test('connections that are cut again and again lose no acknowledged write, and it goes on by itself', async () => {
    await postgres().createDatabase('cut')
    const store = await open(postgres(), 'cut')
    const end = new AbortController()
    const writing = writeUntil(store, end.signal)
    await postgres().sql(CUT_OFTEN)
    end.abort()
    const written = await writing
    expect(written.acknowledged.length).toBeGreaterThan(0)
    await expectWhole(store, written)
    await store.entries.create([newEntry({ id: 'afterwards', spiffeId: idOf('/afterwards') })])
    expect(await store.entries.find('afterwards')).toBeDefined()
  })

  test('a crash of PostgreSQL in the middle of writing loses no acknowledged write', async () => {
    await postgres().createDatabase('crash')
    const store = await open(postgres(), 'crash')
    const end = new AbortController()
    const writing = writeUntil(store, end.signal)
    await expect.poll(() => store.entries.count({})).toBeGreaterThan(20)
    await postgres().kill()
    end.abort()
    const written = await writing
    await expect(store.checkHealth()).rejects.toThrow(unavailable(/crash at/))
    await postgres().startAgain()
    await expectWhole(store, written)
    await store.entries.create([newEntry({ id: 'afterwards', spiffeId: idOf('/afterwards') })])
  })

  test('a write waits for a row that somebody else is changing, and changes what it is then', async () => {
    await postgres().createDatabase('locked')
    const store = await open(postgres(), 'locked')
    await store.entries.create([newEntry({ id: 'x' })])
    const other = postgres().sql(
      "begin; update entries set hint = 'theirs' where id = 'x'; select pg_sleep(0.3); commit",
      'locked',
    )
    const [updated] = await store.entries.update([
      { id: 'x', change: (e) => ({ ...e, dnsNames: ['a.example'] }) },
    ])
    await other
    expect(updated?.kind).toBe('updated')
    expect(await store.entries.find('x')).toMatchObject({
      hint: 'theirs',
      dnsNames: ['a.example'],
    })
  })

  test('only lists and counts that may lag are asked of the database for reading', async () => {
    await postgres().createDatabase('original')
    await postgres().createDatabase('copy')
    await (await open(postgres(), 'copy')).close()
    const { entries, nodes } = await open(postgres(), 'original', { copy: 'copy' })
    await entries.create([newEntry({ id: 'x' })])
    const page = { size: 10, token: '' }
    const lagging = { mayLag: true }
    expect((await entries.list({}, page)).items).toHaveLength(1)
    expect((await entries.list({}, { ...page, ...lagging })).items).toHaveLength(0)
    expect([await entries.count({}), await entries.count({}, lagging)]).toEqual([1, 0])
    expect(await entries.find('x')).toBeDefined()
    expect(await entries.findMany(['x'])).toHaveLength(1)
    const id = idOf('/spire/agent/n/one')
    const attestation = { id, attestationType: 'x', serialNumber: '1', expiresAt: new Date(0) }
    await nodes.attest({ ...attestation, canReattest: true, selectors: [] })
    expect((await nodes.list({}, page)).items).toHaveLength(1)
    expect((await nodes.list({}, { ...page, ...lagging })).items).toHaveLength(0)
    expect([await nodes.count({}), await nodes.count({}, lagging)]).toEqual([1, 0])
    expect(await nodes.find(id)).toBeDefined()
  })
})
