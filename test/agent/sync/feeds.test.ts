import { expect, test } from 'vitest'
import { apply, type Knowledge, knowingOnly } from '../../../agent/cache/knowledge.ts'
import { connectServer } from '../../../agent/node/server-connection.ts'
import type { FeedDeps } from '../../../agent/sync/feed.ts'
import { pollOnce } from '../../../agent/sync/poll.ts'
import { followPush } from '../../../agent/sync/push.ts'
import { toWireBundle } from '../../../proto/wire.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer, wireEntry } from '../../fakes/fake-server.ts'

const ca = await testCa()
const partner = await testCa({ trustDomain: 'partner.org' })
const { trustDomain } = ca
const federating = { federates_with: ['partner.org'] }

async function setUp({ pushes = true, usesSync = true } = {}) {
  const clock = new FakeClock(TEST_NOW)
  const server = await FakeServer.start(clock, { ca, pushes })
  const { port } = server
  const trust = { kind: 'bundle', bundle: () => ca.bundle } as const
  const connection = connectServer({ host: '127.0.0.1', port, trustDomain, trust, clock })
  const stop = new AbortController()
  const state = {
    ...{ known: knowingOnly(ca.bundle) as Knowledge, updates: 0, moves: 0 },
    places: [] as number[],
  }
  const skipped: object[] = []
  const deps: FeedDeps = {
    ...{ trustDomain, clock, usesSync },
    knowledge: () => state.known,
    apply(update) {
      state.updates += 1
      state.known = apply(state.known, update).knowledge
    },
    onSkipped: (_, what) => skipped.push(what),
  }
  let ended: Promise<unknown> = Promise.resolve()
  return {
    ...{ server, clock, state, skipped, stop },
    give(...ids: readonly string[]) {
      for (const id of ids) server.entries.set(id, wireEntry(id))
    },
    ids: () => [...state.known.entries.keys()].sort(),
    poll: () => pollOnce(deps, { lease: connection.lease(), signal: stop.signal }),
    push(hasOthers = false) {
      const inSync = Promise.withResolvers<void>()
      const run = { lease: connection.lease(), signal: stop.signal, onInSync: inSync.resolve }
      const failed = followPush(deps, {
        ...{ ...run, onFederatedPushed: () => {}, knownSequence: 0, hasOthers },
        onPlace: (sequence) => state.places.push(sequence),
        onMove: () => state.moves++,
      })
      ended = failed.catch(() => {})
      return { inSync: inSync.promise, failed }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
      connection[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const ids = (count: number) => Array.from({ length: count }, (_, at) => `e${at}`)

test('a poll takes all entries in one message when they fit', async () => {
  await using agent = await setUp()
  agent.give('a', 'b')
  await agent.poll()
  expect(agent.ids()).toEqual(['a', 'b'])
  expect(agent.server.calls).toEqual(['SyncAuthorizedEntries', 'GetBundle'])
})

test('a poll of many entries takes their revisions in pages, and then those entries', async () => {
  await using agent = await setUp()
  agent.server.pageItems = 3
  agent.give(...ids(8))
  await agent.poll()
  expect(agent.ids()).toEqual(ids(8))
})

test('a later poll asks for new and changed entries alone', async () => {
  await using agent = await setUp()
  agent.server.pageItems = 3
  agent.give(...ids(5))
  await agent.poll()
  const before = agent.state.known
  agent.server.entries.delete('e0')
  agent.server.entries.set('e1', wireEntry('e1', { revision_number: 1, hint: 'changed' }))
  agent.server.entries.set('e2', wireEntry('e2', { created_at: 9, hint: 'made anew' }))
  // Neither its revision nor its age tells of this, so it is not asked for.
  agent.server.entries.set('e3', wireEntry('e3', { hint: 'unseen' }))
  agent.give('e9')
  await agent.poll()
  expect(agent.ids()).toEqual(['e1', 'e2', 'e3', 'e4', 'e9'])
  const hintOf = (id: string) => agent.state.known.entries.get(id)?.hint
  expect(['e1', 'e2', 'e3'].map(hintOf)).toEqual(['changed', 'made anew', ''])
  expect(agent.state.known.entries.get('e4')).toBe(before.entries.get('e4'))
})

test('an empty answer leaves the agent without entries', async () => {
  await using agent = await setUp()
  agent.give('a')
  await agent.poll()
  agent.server.entries.clear()
  await agent.poll()
  expect(agent.ids()).toEqual([])
})

test('a server that cannot sync is asked for all entries', async () => {
  await using agent = await setUp()
  agent.server.syncs = false
  agent.give('a')
  await agent.poll()
  expect(agent.ids()).toEqual(['a'])
  expect(agent.server.calls).toContain('GetAuthorizedEntries')
})

test('entries and the bundles they federate with are known at the same moment', async () => {
  await using agent = await setUp()
  agent.server.entries.set('a', wireEntry('a', federating))
  agent.server.federated.set('partner.org', partner.bundle)
  await agent.poll()
  expect([...agent.state.known.federated.keys()]).toEqual(['partner.org'])
  expect(agent.state.updates).toBe(1)
})

test('a federated bundle that the server has not is left out, and one that it cannot give is kept', async () => {
  await using agent = await setUp()
  agent.server.entries.set('a', wireEntry('a', { federates_with: ['partner.org', 'none.org'] }))
  agent.server.federated.set('partner.org', partner.bundle)
  await agent.poll()
  expect(agent.skipped).toEqual([])
  agent.server.gate = (method) => {
    if (method === 'GetFederatedBundle') throw new IdentityError('INTERNAL', 'broken')
  }
  await agent.poll()
  expect([...agent.state.known.federated.keys()]).toEqual(['partner.org'])
  expect(agent.skipped).toHaveLength(2)
})

test('a bundle is never filed under another trust domain', async () => {
  await using agent = await setUp()
  agent.server.entries.set('a', wireEntry('a', federating))
  agent.server.federated.set('partner.org', ca.bundle)
  await agent.poll()
  expect(agent.state.known.federated.size).toBe(0)
  expect(agent.skipped).toEqual([{ trustDomain: 'partner.org' }])
  agent.server.bundle = partner.bundle
  await expect(agent.poll()).rejects.toMatchObject({ code: 'BUNDLE_MALFORMED' })
  expect(agent.state.known.bundle).toEqual(ca.bundle)
})

const BAD = wireEntry('bad', { spiffe_id: { trust_domain: 'partner.org', path: '/x' } })

test.for(['poll', 'push'] as const)(
  'an entry of another trust domain is left out by %s',
  async (how) => {
    await using agent = await setUp()
    agent.give('good')
    agent.server.entries.set('bad', BAD)
    if (how === 'poll') await agent.poll()
    else await agent.push().inSync
    expect(agent.ids()).toEqual(['good'])
    expect(agent.skipped).toEqual([{ entryId: 'bad' }])
  },
)

test('a server that says nothing in a poll is given up after the deadline', async () => {
  await using agent = await setUp()
  const asked = Promise.withResolvers<void>()
  agent.server.gate = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const failed = expect(agent.poll()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  await asked.promise
  agent.clock.advance(30_000)
  await failed
})

test('a push begins with the complete state, and goes on with changes', async () => {
  await using agent = await setUp()
  agent.give('a', 'b')
  await agent.push().inSync
  expect(agent.ids()).toEqual(['a', 'b'])
  agent.server.push({ entries: [wireEntry('c')], removed_entry_ids: ['a'] })
  await expect.poll(agent.ids).toEqual(['b', 'c'])
  agent.server.push({ bundle: toWireBundle({ ...ca.bundle, sequenceNumber: 7 }) })
  await expect.poll(() => agent.state.known.bundle.sequenceNumber).toBe(7)
  expect(agent.ids()).toEqual(['b', 'c'])
})

test('nothing of a pushed state is used before its last message has come', async () => {
  await using agent = await setUp()
  await agent.push().inSync
  agent.server.push({ snapshot: true, more: true, entries: [wireEntry('a')] })
  agent.server.push({ snapshot: true, more: true, entries: [wireEntry('b')] })
  const { updates } = agent.state
  agent.server.push({ snapshot: true, entries: [wireEntry('c')] })
  await expect.poll(agent.ids).toEqual(['a', 'b', 'c'])
  expect(agent.state.updates).toBe(updates + 1)
})

test('a pushed entry becomes known together with the bundle that it federates with', async () => {
  await using agent = await setUp()
  await agent.push().inSync
  agent.server.federated.set('partner.org', partner.bundle)
  agent.server.push({ entries: [wireEntry('a', federating)] })
  await expect.poll(agent.ids).toEqual(['a'])
  expect([...agent.state.known.federated.keys()]).toEqual(['partner.org'])
  expect(agent.state.updates).toBe(2)
})

test('a bundle of another trust domain that changes is pushed, without being asked for', async () => {
  await using agent = await setUp()
  agent.server.entries.set('a', wireEntry('a', federating))
  await agent.push().inSync
  const { calls } = agent.server
  const asked = calls.filter((name) => name === 'GetFederatedBundle').length
  agent.server.push({
    federated_bundles: [toWireBundle({ ...partner.bundle, sequenceNumber: 9 })],
  })
  const known = () => agent.state.known.federated.get(partner.trustDomain)?.sequenceNumber
  await expect.poll(known).toBe(9)
  agent.server.push({ removed_federated_bundles: ['partner.org'] })
  await expect.poll(known).toBeUndefined()
  expect(calls.filter((name) => name === 'GetFederatedBundle').length).toBe(asked)
})

test('an entry and the bundle pushed before it are used together, once both have come', async () => {
  await using agent = await setUp()
  await agent.push().inSync
  const { updates } = agent.state
  agent.server.push({ federated_bundles: [toWireBundle(partner.bundle)], more: true })
  agent.server.push({ entries: [wireEntry('a', federating)] })
  await expect.poll(agent.ids).toEqual(['a'])
  expect([...agent.state.known.federated.keys()]).toEqual(['partner.org'])
  expect(agent.state.updates).toBe(updates + 1)
  expect(agent.server.calls).not.toContain('GetFederatedBundle')
})

test('a pushed bundle of a trust domain that no entry federates with is not held', async () => {
  await using agent = await setUp()
  agent.server.entries.set('a', wireEntry('a', federating))
  await agent.push().inSync
  agent.server.push({ federated_bundles: [toWireBundle(ca.bundle)] })
  agent.server.push({ entries: [wireEntry('b')] })
  await expect.poll(agent.ids).toEqual(['a', 'b'])
  expect(agent.state.known.federated.has(ca.trustDomain)).toBe(false)
})

test('a server that does not push says so', async () => {
  await using agent = await setUp({ pushes: false })
  await expect(agent.push().failed).rejects.toMatchObject({ code: 'NOT_IMPLEMENTED' })
})

test.for<[string, (server: FakeServer) => unknown, string]>([
  ['ends', (server) => server.stop(), 'UNAVAILABLE'],
  [
    'sends the bundle of another trust domain',
    (server) => server.push({ bundle: toWireBundle(partner.bundle) }),
    'BUNDLE_MALFORMED',
  ],
])('a push that %s ends with an error, and what was known stays', async ([, act, code]) => {
  await using agent = await setUp()
  agent.give('a')
  const { inSync, failed } = agent.push()
  const rejected = expect(failed).rejects.toMatchObject({ code })
  await inSync
  await act(agent.server)
  await rejected
  expect(agent.ids()).toEqual(['a'])
  expect(agent.state.known.bundle).toEqual(ca.bundle)
})

test('refuses a push that mixes changes into an unfinished state', async () => {
  await using agent = await setUp()
  const { inSync, failed } = agent.push()
  await inSync
  agent.server.push({ snapshot: true, more: true, entries: [wireEntry('a')] })
  agent.server.push({ entries: [wireEntry('b')] })
  await expect(failed).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(agent.ids()).toEqual([])
})

test('a push that brings no complete state is given up after the deadline', async () => {
  await using agent = await setUp()
  const asked = Promise.withResolvers<void>()
  agent.server.gate = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const { failed } = agent.push()
  const rejected = expect(failed).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  await asked.promise
  agent.clock.advance(30_000)
  await rejected
})

test('a server that promised to say something and falls silent is given up, after three words that did not come', async () => {
  await using agent = await setUp()
  agent.server.promises = { heartbeat_ms: 3_000, sequence: 4 }
  const { inSync, failed } = agent.push()
  await inSync
  expect(agent.server.watchRequests).toEqual([{ known_sequence: 0, heartbeat_ms: 3_000 }])
  for (let n = 0; n < 5; n++) {
    agent.clock.advance(6_000)
    agent.server.push({ sequence: 5 + n })
    await expect.poll(() => agent.state.places.at(-1)).toBe(5 + n)
  }
  expect(agent.state.updates).toBe(1)
  agent.clock.advance(9_000)
  await expect(failed).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: 'the server has said nothing for 9 s',
  })
})

test('a server that says nothing at all is not waited for as long where there is another one', async () => {
  await using agent = await setUp()
  const asked = Promise.withResolvers<void>()
  agent.server.gate = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const { failed } = agent.push(true)
  await asked.promise
  agent.clock.advance(8_000)
  await expect(failed).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: 'the server sent no word within 8 s',
  })
})

test('a server that has said something is given the time for a large state, also where there is another one', async () => {
  await using agent = await setUp()
  const { inSync } = agent.push(true)
  await inSync
  agent.clock.advance(8_000)
  agent.server.push({ entries: [wireEntry('b')] })
  await expect.poll(agent.ids).toEqual(['b'])
})

test('a server that promised nothing may be silent for as long as it likes', async () => {
  await using agent = await setUp()
  const { inSync } = agent.push()
  await inSync
  agent.clock.advance(3_600_000)
  agent.give('b')
  agent.server.push({ entries: [wireEntry('b')] })
  await expect.poll(agent.ids).toEqual(['b'])
})

test('a server that asks for a new stream is heard on until there is one', async () => {
  await using agent = await setUp()
  const { inSync } = agent.push()
  await inSync
  agent.server.push({ move: true })
  await expect.poll(() => agent.state.moves).toBe(1)
  agent.server.push({ entries: [wireEntry('b')] })
  await expect.poll(agent.ids).toEqual(['b'])
})
