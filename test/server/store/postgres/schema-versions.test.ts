/** Two versions on one database: who may start, who may migrate, and that the older one works with what the newer one left. */
import { afterEach, expect, test } from 'vitest'
import { MIGRATIONS } from '../../../../server/store/postgres/migrations.ts'
import { openStore } from '../../../../server/store/postgres/open-store.ts'
import type { Store } from '../../../../server/store/store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { parseTrustDomain } from '../../../../spiffe/id.ts'
import { withPostgres } from '../../../processes/postgres.ts'
import { idOf, newEntry } from '../../entries/sample-entry.ts'
import { NEXT_NAME, nextMigration } from './next-migration.ts'
import { configOf } from './open-for-test.ts'

const THIS = MIGRATIONS
const NEXT = [...MIGRATIONS, nextMigration()]
const LATER = [...NEXT, nextMigration(NEXT_NAME, '9999-later')].map((one) =>
  one.name === '9999-later' ? { ...one, statements: ['create table later (x text)'] } : one,
)
const BREAKING = [...MIGRATIONS, nextMigration('9998-next')]

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringMatching(message) })

withPostgres('versions of the PostgreSQL store', (postgres) => {
  const opened: Store[] = []
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
  })

  interface Opened {
    readonly store: Store
    readonly ahead: readonly string[]
    readonly failures: readonly unknown[]
  }

  async function open(database: string, migrations = THIS): Promise<Opened> {
    const [ahead, failures]: [string[], unknown[]] = [[], []]
    const store = await openStore({
      config: configOf(postgres(), database),
      ...{ clock: systemClock, random: () => 0, holder: 'test', migrations },
      onFailure: (error) => failures.push(error),
      onAhead: (name) => ahead.push(name),
    })
    opened.push(store)
    return { store, ahead, failures }
  }

  const counts = (database: string) =>
    postgres().sql(
      `select coalesce(string_agg(objid::text, ' ' order by objid), '') from pg_locks
        where locktype = 'advisory' and classid = ${0x5354_0004} and granted
          and database = (select oid from pg_database where datname = '${database}')`,
    )
  const seen = (database: string, ...expected: readonly number[]) =>
    expect.poll(() => counts(database)).toBe(expected.join(' '))

  async function writeOfEach(store: Store, name: string) {
    const id = idOf(`/${name}`)
    await store.entries.create([newEntry({ id: name, spiffeId: id, parentId: idOf('/agent') })])
    const domain = parseTrustDomain(`${name}.example`)
    const relationship = {
      ...{ trustDomain: domain, endpointUrl: `https://${name}.example/bundle` },
      profile: { kind: 'https_web' as const },
    }
    await store.federation.create(relationship, undefined)
    expect(await store.federation.find(domain)).toMatchObject({ trustDomain: domain })
    await store.joinTokens.create({ token: name, expiresAt: new Date(0) })
    await store.caJournal.save(name, new Uint8Array([1]))
    expect(await store.entries.find(name)).toMatchObject({ id: name })
    expect((await store.federation.list({ size: 100, token: '' })).items.length).toBeGreaterThan(0)
    expect((await store.nodes.list({}, { size: 10, token: '' })).items).toEqual([])
  }

  test('a version that runs goes on while the next one migrates, and again after it starts anew', async () => {
    await postgres().createDatabase('roll')
    const before = await open('roll')
    await seen('roll', THIS.length)
    await writeOfEach(before.store, 'a')
    const next = await open('roll', NEXT)
    expect(next.ahead).toEqual([])
    await writeOfEach(next.store, 'b')
    await writeOfEach(before.store, 'c')
    await before.store.checkHealth()
    const back = await open('roll')
    expect(back.ahead).toEqual([NEXT_NAME])
    await writeOfEach(back.store, 'd')
    await seen('roll', THIS.length, THIS.length, NEXT.length)
    expect(await next.store.entries.count({})).toBe(4)
    expect(await postgres().sql('select sum(times) from next_seen', 'roll')).toBe('3')
    expect([before.failures, next.failures, back.failures]).toEqual([[], [], []])
  })

  test('a version does not start on a database that is two steps ahead, whatever these say', async () => {
    await postgres().createDatabase('far')
    await open('far', LATER)
    await expect(open('far')).rejects.toThrow(unavailable(/9998-next, 9999-later.*newer one\?/))
    await (await open('far', NEXT)).store.checkHealth()
  })

  test('a version does not start on a database that only the next one can use', async () => {
    await postgres().createDatabase('only')
    await open('only', BREAKING)
    await expect(open('only')).rejects.toThrow(unavailable(/it has 9998-next/))
  })

  test('a migration that servers who run could not follow is refused, and leaves everything as it is', async () => {
    await postgres().createDatabase('running')
    const running = await open('running')
    await seen('running', THIS.length)
    for (const migrations of [BREAKING, LATER]) {
      await expect(open('running', migrations)).rejects.toThrow(
        unavailable(/servers run on it whose newest is 0004-readers.*stop them first/),
      )
    }
    await writeOfEach(running.store, 'a')
    expect(await postgres().sql("select to_regclass('next_seen')", 'running')).toBe('')
    await running.store.close()
    await open('running', LATER)
  })

  test('a migration waits for nobody who runs on another database', async () => {
    await postgres().createDatabase('here')
    await postgres().createDatabase('there')
    await (await open('here')).store.close()
    await open('there')
    await seen('there', THIS.length)
    await open('here', BREAKING)
  })

  test('a server that was cut off while the database was migrated beyond it says that it is not healthy', async () => {
    await postgres().createDatabase('cut')
    const { store, failures } = await open('cut')
    await seen('cut', THIS.length)
    // As the breaking version would have left it, had it seen nobody.
    await postgres().sql(
      `insert into kysely_migration values ('9998-next', '2040');
        insert into schema_readers values ('9998-next', '9998-next')`,
      'cut',
    )
    await store.checkHealth()
    await postgres().sql(
      `select pg_terminate_backend(l.pid, 5000) from pg_locks l join pg_database d on d.oid = l.database
        where locktype = 'advisory' and classid = ${0x5354_0004} and datname = 'cut'`,
    )
    await expect
      .poll(() => store.checkHealth().catch(({ message }) => message))
      .toMatch(/it has 9998-next/)
    await expect.poll(() => failures).toContainEqual(unavailable(/it has 9998-next/))
  })

  test('a migration that has to wait for a table gives up, rather than let everybody wait behind it', async () => {
    await postgres().createDatabase('held')
    await (await open('held')).store.close()
    const reader = expect(
      postgres().sql('begin; lock table entries in share mode; select pg_sleep(30)', 'held'),
    ).rejects.toThrow(/terminating/)
    const held = "select count(*) from pg_locks where relation = 'entries'::regclass and granted"
    await expect.poll(() => postgres().sql(held, 'held')).toBe('1')
    await expect(open('held', NEXT)).rejects.toThrow(unavailable(/lock timeout/))
    await postgres().sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()",
    )
    await reader
    await open('held', NEXT)
  })
})
