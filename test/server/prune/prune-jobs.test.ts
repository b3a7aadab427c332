import { expect, test } from 'vitest'
import { pruneJobs } from '../../../server/prune/prune-jobs.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { anEntry, id } from '../an-entry.ts'

const HOUR_MS = 3_600_000
const DAY_SECONDS = 86_400

test('what has expired is removed, and what has not stays', async () => {
  const clock = new FakeClock()
  await using store = await openStore({ path: ':memory:', clock })
  const soon = new Date(clock.now().getTime() + 60_000)
  await store.entries.create([
    { ...anEntry({ id: 'kept' }) },
    { ...anEntry({ id: 'expiring', spiffeId: id('/other') }), expiresAt: soon },
  ])
  await store.joinTokens.create({ token: 't', expiresAt: soon })
  await store.caJournal.save('gone', Buffer.of(1))
  const prune = async () => {
    const counts: Record<string, number> = {}
    for (const job of pruneJobs(store, DAY_SECONDS))
      counts[job.what] = await job.prune(clock.now(), 100)
    return counts
  }
  expect(Object.values(await prune())).toEqual([0, 0, 0, 0])

  clock.advance(2 * HOUR_MS)
  expect(await prune()).toMatchObject({
    'expired registration entries': 1,
    'expired join tokens': 1,
  })
  expect(await store.entries.find('kept')).toBeDefined()
  expect(await store.entries.find('expiring')).toBeUndefined()

  clock.advance(15 * 24 * HOUR_MS)
  expect(await prune()).toMatchObject({ 'CA journals of servers that are gone': 1 })
})

test('the journal of a server whose authorities live for a year stays while they do', async () => {
  const clock = new FakeClock()
  await using store = await openStore({ path: ':memory:', clock })
  await store.caJournal.save('slow', Buffer.of(1))
  const prune = async () => {
    for (const job of pruneJobs(store, 365 * DAY_SECONDS)) await job.prune(clock.now(), 100)
    return await store.caJournal.load('slow')
  }
  clock.advance(366 * 24 * HOUR_MS)
  expect(await prune()).toBeDefined()
  clock.advance(14 * 24 * HOUR_MS)
  expect(await prune()).toBeUndefined()
})
