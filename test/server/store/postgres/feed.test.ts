import { expect, test } from 'vitest'
import { createEntryIndex } from '../../../../server/entries/entry-index.ts'
import { followChanges } from '../../../../server/entries/follow-changes.ts'
import { recordChanges } from '../../../../server/store/postgres/change-log.ts'
import { connect } from '../../../../server/store/postgres/connection.ts'
import { emptyBundle } from '../../../../spiffe/bundle.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { withPostgres } from '../../../processes/postgres.ts'
import { exampleOrg, newEntry } from '../../entries/sample-entry.ts'
import { runFeedModel } from './feed-model.ts'
import { checkLog } from './log-checker.ts'
import { configOf, openPostgresStore } from './open-for-test.ts'
import { NUMBER_BY_SEQUENCE } from './sequence-numbered-log.ts'

withPostgres('the change feed of several servers', (postgres) => {
  const bundle = (key: string) => ({ kind: 'bundle', key }) as const

  const planOn = (database: string) => ({
    config: configOf(postgres(), database),
    openStore: () => openPostgresStore(postgres(), database),
    ...{ stores: 3, writersPerStore: 2, writes: 20, killEveryMs: undefined },
  })

  test('every index ends equal to the tables, and no record turns up behind one already seen', async () => {
    await postgres().createDatabase('model')
    const report = await runFeedModel({ ...planOn('model'), seed: 11 })
    expect(report).toMatchObject({ violations: [], differences: [], unavailable: 0 })
    expect(report.records).toBeGreaterThan(50)
    expect(report.undone).toBeGreaterThan(5)
  })

  test('so it is while connections are ended at random', async () => {
    await postgres().createDatabase('killed')
    const report = await runFeedModel({ ...planOn('killed'), killEveryMs: 15, seed: 3 })
    expect(report).toMatchObject({ violations: [], differences: [] })
    expect(report.killed).toBeGreaterThan(2)
  })

  test('what one server commits is in the index of another by its announcement alone', async () => {
    await postgres().createDatabase('announced')
    const [one, two] = [
      await openPostgresStore(postgres(), 'announced'),
      await openPostgresStore(postgres(), 'announced'),
    ]
    const index = createEntryIndex(exampleOrg)
    const bundles: unknown[] = []
    const stop = new AbortController()
    const following = followChanges(
      {
        ...{ store: two, index, clock: new FakeClock() }, // which never moves: nothing is looked for
        onAffected: () => {},
        onBundles: (changed) => bundles.push(changed === 'all' ? changed : [...changed]),
        onFailure: (error) => expect.unreachable(String(error)),
        onReady: () => {},
      },
      stop.signal,
    )
    await expect.poll(() => index.isReady() && two.changes.hearing()).toBe(1)
    await one.entries.create([newEntry({ id: 'a' })])
    await expect.poll(() => [...index.entryIds()]).toEqual(['a'])
    await one.entries.remove(['a'])
    await expect.poll(() => [...index.entryIds()]).toEqual([])
    // The server's own bundle as well as those of others.
    await one.bundles.update(exampleOrg, () => emptyBundle(exampleOrg))
    await expect.poll(() => bundles).toEqual([['example.org']])
    stop.abort()
    await following
    await Promise.all([one.close(), two.close()])
  })

  /** A transaction that has its place in the log before another, and commits after it. */
  async function overtake(database: string): Promise<readonly string[]> {
    const config = configOf(postgres(), database)
    await using stack = new AsyncDisposableStack()
    const open = () => stack.adopt(connect({ config, clock: systemClock }), (one) => one.close())
    const store = stack.use(await openPostgresStore(postgres(), database))
    const checker = stack.use(await checkLog(store.changes, () => 0))
    const [slow, quick] = [open(), open()]
    const hasPlace = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    const first = slow.write(async (session) => {
      await recordChanges(session, [bundle('first.example')], systemClock.now())
      hasPlace.resolve()
      await mayCommit.promise
    })
    await hasPlace.promise
    const second = quick.write(async (session) => {
      await recordChanges(session, [bundle('second.example')], systemClock.now())
    })
    // Either it overtakes and is seen, or it waits for the first one.
    const waiting = `select count(*) from pg_stat_activity where datname = '${database}'
      and wait_event_type = 'Lock'`
    const outcome = async () => {
      if (checker.reached() === 2) return 'overtaken'
      return (await postgres().sql(waiting)) === '1' ? 'waits' : 'neither'
    }
    await expect.poll(outcome).not.toBe('neither')
    mayCommit.resolve()
    await Promise.all([first, second])
    await checker.readAll()
    expect(checker.reached()).toBe(2)
    return checker.violations
  }

  test('a transaction that has its place in the log cannot be overtaken', async () => {
    await postgres().createDatabase('ours')
    expect(await overtake('ours')).toEqual([])
  })

  test('numbered by a sequence it is overtaken, and the checker says so', async () => {
    await postgres().createDatabase('trap')
    await (await openPostgresStore(postgres(), 'trap')).close()
    await postgres().sql(NUMBER_BY_SEQUENCE, 'trap')
    expect(await overtake('trap')).toEqual([
      'record 2 was seen after 0, without what is between',
      'record 1 turned up after 2 had been seen',
    ])
  })

  test('the model finds the trap as well', async () => {
    await postgres().createDatabase('trapped')
    await (await openPostgresStore(postgres(), 'trapped')).close()
    await postgres().sql(NUMBER_BY_SEQUENCE, 'trapped')
    const { violations } = await runFeedModel({ ...planOn('trapped'), writes: 12, seed: 11 })
    expect(violations).not.toEqual([])
  })
})
