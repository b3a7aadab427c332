import { afterEach, beforeEach, expect, test } from 'vitest'
import { createEntryIndex, type EntryIndex } from '../../../server/entries/entry-index.ts'
import { type FollowDeps, followChanges } from '../../../server/entries/follow-changes.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { type Clock, systemClock } from '../../../spiffe/clock.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { bundle, partner } from '../store/sample-bundle.ts'
import { exampleOrg, idOf, newEntry, selectorsOf } from './sample-entry.ts'

const agent = idOf('/spire/agent/x509pop/one')
const other = idOf('/spire/agent/x509pop/two')

let store: Store
let index: EntryIndex
let stop: AbortController
let running: Promise<void>
let affected: string[][]
let bundles: unknown[]
let failures: unknown[]
let readyCount: number

beforeEach(async () => {
  store = await openStore({ path: ':memory:', clock: systemClock })
  index = createEntryIndex(exampleOrg)
  stop = new AbortController()
  running = Promise.resolve()
  affected = []
  bundles = []
  failures = []
  readyCount = 0
})

afterEach(async () => {
  stop.abort()
  await running
  await store.close()
})

function follow(through: FollowDeps['store'] = store, clock: Clock = systemClock) {
  running = followChanges(
    {
      store: through,
      index,
      clock,
      onAffected: (agents) => affected.push([...agents].sort()),
      onBundles: (names) => bundles.push(names === 'all' ? names : [...names]),
      onFailure: (error) => failures.push(error),
      onReady: () => {
        readyCount += 1
      },
    },
    stop.signal,
  )
}

async function followUntilReady(through: FollowDeps['store'] = store, clock?: Clock) {
  follow(through, clock)
  await expect.poll(() => index.isReady()).toBe(true)
}

const idsFor = (id: typeof agent) =>
  index
    .authorizedFor(id)
    .map((entry) => entry.id)
    .sort()

const attest = (id: typeof agent, ...selectors: readonly string[]) =>
  store.nodes.attest({
    id,
    attestationType: 'x509pop',
    serialNumber: '1',
    expiresAt: new Date(0),
    canReattest: true,
    selectors: selectorsOf(...selectors),
  })

const child = (id: string, parentId = agent) =>
  newEntry({ id, parentId, spiffeId: idOf(`/w/${id}`) })

const alias = newEntry({
  id: 'alias',
  spiffeId: idOf('/cluster'),
  parentId: idOf('/spire/server'),
  selectors: selectorsOf('x509pop:cn:a'),
})

test('loads every entry and node, page by page, and then says once that it is ready', async () => {
  const ids = Array.from({ length: 2_500 }, (_, i) => `e${i}`)
  await store.entries.create(ids.map((id) => child(id, idOf('/cluster'))))
  await store.entries.create([alias])
  await attest(agent, 'x509pop:cn:a')
  follow()
  expect(index.isReady()).toBe(false)
  await expect.poll(() => readyCount).toBe(1)
  expect(idsFor(agent)).toEqual(ids.sort())
  await store.entries.create([child('more')])
  await expect.poll(() => idsFor(agent)).toHaveLength(2_501)
  expect(readyCount).toBe(1)
})

test('a commit reaches the index and names the watched agents', async () => {
  await followUntilReady()
  index.watch(agent)
  await store.entries.create([child('a'), child('b', other)])
  await expect.poll(() => idsFor(agent)).toEqual(['a'])
  expect(affected).toEqual([[agent]])
  await store.entries.update([{ id: 'a', change: (entry) => ({ ...entry, parentId: other }) }])
  await expect.poll(() => idsFor(other)).toEqual(['a', 'b'])
  expect(affected).toEqual([[agent], [agent]])
  await store.entries.remove(['a', 'b'])
  await expect.poll(() => idsFor(other)).toEqual([])
  expect(affected).toEqual([[agent], [agent]])
})

test('what one batch does to several agents is told in one go', async () => {
  await followUntilReady()
  index.watch(agent)
  index.watch(other)
  await store.entries.create([child('a'), child('b'), child('c', other)])
  await expect.poll(() => affected).toEqual([[agent, other].sort()])
})

test('attestation and eviction reach the index', async () => {
  await store.entries.create([alias, child('shared', idOf('/cluster'))])
  await followUntilReady()
  index.watch(agent)
  await attest(agent, 'x509pop:cn:a')
  await expect.poll(() => idsFor(agent)).toEqual(['shared'])
  await store.nodes.remove(agent)
  await expect.poll(() => idsFor(agent)).toEqual([])
  expect(affected).toEqual([[agent], [agent]])
})

test('a renewal, a version or a ban of a node wakes nobody', async () => {
  await attest(agent, 'x509pop:cn:a')
  await followUntilReady()
  index.watch(agent)
  await store.nodes.setAgentVersion(agent, '1')
  await store.nodes.renew({ id: agent, serialNumber: '1', newSerialNumber: '' }, '2', new Date(0))
  await store.nodes.ban(agent)
  await store.entries.create([child('last')])
  await expect.poll(() => idsFor(agent)).toEqual(['last'])
  expect(affected).toEqual([[agent]])
})

test('changed bundles are named', async () => {
  await followUntilReady()
  await store.bundles.update(partner, () => bundle())
  await expect.poll(() => bundles).toEqual([[partner]])
  await store.bundles.remove(partner, 'restrict')
  await expect.poll(() => bundles).toEqual([[partner], [partner]])
})

test('what is committed while everything is being loaded is not lost', async () => {
  await store.entries.create([child('before')])
  let isFirst = true
  const slow: FollowDeps['store'] = {
    ...store,
    entries: {
      ...store.entries,
      list: async (filter, page) => {
        const read = await store.entries.list(filter, page)
        if (isFirst) {
          isFirst = false
          await store.entries.create([child('during')])
          await store.entries.remove(['before'])
        }
        return read
      },
    },
  }
  await followUntilReady(slow)
  await expect.poll(() => idsFor(agent)).toEqual(['during'])
})

test('a failed load is reported and tried again, and the index refuses to answer meanwhile', async () => {
  await store.entries.create([child('a')])
  const broken = new Error('the database is away')
  let failuresLeft = 2
  const flaky: FollowDeps['store'] = {
    ...store,
    nodes: {
      ...store.nodes,
      list: (filter, page) => {
        if (failuresLeft === 0) return store.nodes.list(filter, page)
        failuresLeft -= 1
        expect(() => index.authorizedFor(agent)).toThrow(/still being loaded/)
        return Promise.reject(broken)
      },
    },
  }
  await followUntilReady(flaky)
  expect(failures).toEqual([broken, broken])
  expect(idsFor(agent)).toEqual(['a'])
})

test('after a failed round the index answers with what it had, and then catches up', async () => {
  await store.entries.create([child('a')])
  let isAway = false
  const flaky: FollowDeps['store'] = {
    ...store,
    entries: {
      ...store.entries,
      findMany: (ids) => (isAway ? Promise.reject(new Error('away')) : store.entries.findMany(ids)),
    },
  }
  await followUntilReady(flaky)
  isAway = true
  await store.entries.create([child('b')])
  await expect.poll(() => failures.length).toBeGreaterThan(0)
  expect(idsFor(agent)).toEqual(['a'])
  isAway = false
  await expect.poll(() => idsFor(agent)).toEqual(['a', 'b'])
})

test('when the log no longer reaches back, everything is loaded anew and what is gone is dropped', async () => {
  await store.entries.create([alias, child('kept'), child('gone'), child('shared', alias.spiffeId)])
  await attest(agent, 'x509pop:cn:a')
  await attest(other, 'x509pop:cn:a')
  let isPruned = false
  const pruned: FollowDeps['store'] = {
    ...store,
    changes: {
      ...store.changes,
      after: async (sequence, limit) => {
        return isPruned ? { kind: 'pruned' } : store.changes.after(sequence, limit)
      },
      latest: () => {
        isPruned = false
        return store.changes.latest()
      },
    },
  }
  await followUntilReady(pruned)
  index.watch(agent)
  index.watch(other)
  isPruned = true
  await Promise.all([
    store.entries.remove(['gone']),
    store.entries.create([child('new')]),
    store.nodes.remove(other),
  ])
  await expect.poll(() => idsFor(agent)).toEqual(['kept', 'new', 'shared'])
  await expect.poll(() => idsFor(other)).toEqual([])
  await expect.poll(() => bundles).toEqual(['all'])
  expect(new Set(affected.flat())).toEqual(new Set([agent, other]))
  expect(failures).toEqual([])
  expect(readyCount).toBe(1)
})

test('when everything up to its place was pruned and nothing behind it, nothing is loaded anew', async () => {
  await store.entries.create([child('a')])
  let loads = 0
  const counted: FollowDeps['store'] = {
    ...store,
    changes: {
      ...store.changes,
      latest: () => {
        loads += 1
        return store.changes.latest()
      },
    },
  }
  await followUntilReady(counted)
  await store.changes.prune(new Date('2100-01-01'), 1_000)
  await store.entries.create([child('b')])
  await expect.poll(() => idsFor(agent)).toEqual(['a', 'b'])
  expect(loads).toBe(1)
  expect(failures).toEqual([])
})

test('a log with other records at its place is said to be another one, and everything is loaded anew', async () => {
  await store.entries.create([child('a'), child('lost')])
  const restored = await openStore({ path: ':memory:', clock: systemClock })
  await restored.entries.create([child('a'), child('b'), child('c')])
  let present: Store = store
  const switched: FollowDeps['store'] = {
    get entries() {
      return present.entries
    },
    get nodes() {
      return present.nodes
    },
    changes: {
      ...store.changes,
      latest: () => present.changes.latest(),
      after: (sequence, limit) => present.changes.after(sequence, limit),
    },
  }
  const clock = new FakeClock()
  await followUntilReady(switched, clock)
  expect(idsFor(agent)).toEqual(['a', 'lost'])
  present = restored
  await clock.sleepers(1)
  clock.advance(1_000)
  await expect.poll(() => idsFor(agent)).toEqual(['a', 'b', 'c'])
  expect(failures).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })])
  expect(String(failures[0])).toMatch(/does not hold what was read at its place 2/)
  await restored.close()
})

test('a record that is missing in between is never skipped', async () => {
  await followUntilReady()
  const gapped: FollowDeps['store'] = {
    ...store,
    changes: {
      ...store.changes,
      after: async (sequence, limit) => {
        const read = await store.changes.after(sequence, limit)
        if (read.kind === 'pruned') return read
        return { kind: 'changes', changes: read.changes.filter((change) => change.sequence !== 2) }
      },
    },
  }
  stop.abort()
  await running
  stop = new AbortController()
  await followUntilReady(gapped)
  await store.entries.create([child('a'), child('b'), child('c')])
  await expect.poll(() => idsFor(agent)).toEqual(['a', 'b', 'c'])
  expect(failures).toHaveLength(1)
})

test('a commit of another server, which nobody announces here, is seen within a second', async () => {
  const clock = new FakeClock()
  const unannounced = { ...store, changes: { ...store.changes, onCommit: () => () => {} } }
  await followUntilReady(unannounced, clock)
  await clock.sleepers(1)
  await store.entries.create([child('foreign')])
  expect(idsFor(agent)).toEqual([])
  clock.advance(1_000)
  await expect.poll(() => idsFor(agent)).toEqual(['foreign'])
})

test('while the store is away, it is asked ever more slowly, up to every five seconds', async () => {
  const clock = new FakeClock()
  const start = clock.now().getTime()
  const asked: number[] = []
  const away = {
    ...store,
    changes: {
      ...store.changes,
      latest: () => {
        asked.push(clock.now().getTime() - start)
        return Promise.reject(new Error('away'))
      },
    },
  }
  follow(away, clock)
  for (let i = 0; i < 150; i++) {
    await clock.sleepers(1)
    clock.advance(100)
  }
  expect(asked.slice(0, 9)).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300])
})

test('ends when it is told to, also before the first load', async () => {
  stop.abort()
  follow()
  await running
  expect(index.isReady()).toBe(false)
})

test('hears nothing any more once it has ended', async () => {
  await followUntilReady()
  stop.abort()
  await running
  await store.entries.create([child('late')])
  expect(idsFor(agent)).toEqual([])
})
