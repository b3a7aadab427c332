import { expect, test } from 'vitest'
import { apply, type Knowledge, knowingOnly } from '../../../agent/cache/knowledge.ts'
import { connectServer } from '../../../agent/node/server-connection.ts'
import { createStanding } from '../../../agent/node/standing.ts'
import { type FeedMode, followServer } from '../../../agent/sync/follow.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer, wireEntry } from '../../fakes/fake-server.ts'

const ca = await testCa()
const partner = await testCa({ trustDomain: 'partner.org' })
const { trustDomain } = ca
const MINUTE = 60_000

async function setUp({ pushes = true, hasSvids = true, usesSync = true } = {}) {
  const clock = new FakeClock(TEST_NOW)
  const server = await FakeServer.start(clock, { ca, pushes })
  server.entries.set('a', wireEntry('a'))
  const { port } = server
  const trust = { kind: 'bundle', bundle: () => ca.bundle } as const
  const connection = connectServer({ host: '127.0.0.1', port, trustDomain, trust, clock })
  const standing = createStanding()
  const stop = new AbortController()
  const state = { known: knowingOnly(ca.bundle) as Knowledge }
  const modes: FeedMode[] = []
  const failures: { readonly error: unknown; readonly retryMs: number }[] = []
  const running = followServer(
    {
      ...{ trustDomain, clock, connection, standing, usesSync },
      knowledge: () => state.known,
      apply(update) {
        state.known = apply(state.known, update).knowledge
      },
      onSkipped: () => {},
      syncIntervalMs: 5_000,
      hasNoSvids: () => !hasSvids,
      onInSync: (mode) => modes.push(mode),
      onFailure: (error, retryMs) => failures.push({ error, retryMs }),
      random: () => 0.5,
    },
    stop.signal,
  )
  return {
    ...{ server, clock, connection, standing, state, modes, failures },
    ids: () => [...state.known.entries.keys()].sort(),
    /** Lets `count` more attempts fail, each as soon as it is due. */
    async fail(count: number) {
      for (const until = failures.length + count; failures.length < until; ) {
        const { length } = failures
        const { retryMs = 0 } = failures.at(-1) ?? {}
        if (length > 0) await clock.sleepers(1)
        clock.advance(retryMs)
        await expect.poll(() => failures.length).toBeGreaterThan(length)
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
      connection[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('a server that pushes is not polled', async () => {
  await using agent = await setUp()
  await expect.poll(agent.ids).toEqual(['a'])
  expect(agent.modes).toEqual(['push'])
  agent.server.push({ entries: [wireEntry('b')] })
  await expect.poll(agent.ids).toEqual(['a', 'b'])
  agent.clock.advance(29_000)
  expect(agent.server.calls).toEqual(['Watch'])
})

test('a server that does not push is polled at every interval', async () => {
  await using agent = await setUp({ pushes: false })
  for (let round = 1; round <= 3; round++) {
    await expect.poll(() => agent.modes.length).toBe(round)
    await agent.clock.sleepers(1)
    agent.clock.advance(5_000)
  }
  expect(agent.modes.every((mode) => mode === 'polling')).toBe(true)
  expect(agent.failures).toEqual([])
})

test('a server that has been upgraded to one that pushes is noticed within minutes', async () => {
  await using agent = await setUp({ pushes: false })
  await expect.poll(() => agent.modes).toEqual(['polling'])
  await agent.server.stop()
  agent.server.pushes = true
  await agent.server.listen()
  await agent.clock.sleepers(1)
  agent.clock.advance(5 * MINUTE)
  await expect
    .poll(() => {
      if (agent.clock.sleeping === 1) agent.clock.advance(10_000)
      return agent.modes.at(-1)
    })
    .toBe('push')
})

test('after the server was lost it is tried again within a second, and then less and less often', async () => {
  await using agent = await setUp()
  await expect.poll(() => agent.modes).toEqual(['push'])
  await agent.server.stop()
  await agent.fail(14)
  const pauses = agent.failures.map(({ retryMs }) => retryMs)
  expect(pauses[0]).toBeLessThanOrEqual(1_000)
  expect(pauses.at(-1)).toBe(2_550)
  expect(agent.ids()).toEqual(['a'])
  expect(agent.failures[0]?.error).toMatchObject({ code: 'UNAVAILABLE' })
})

test('a server that comes back is followed again, with all that changed meanwhile', async () => {
  await using agent = await setUp()
  await expect.poll(() => agent.modes).toEqual(['push'])
  await agent.server.stop()
  await agent.fail(1)
  agent.server.entries.delete('a')
  agent.server.entries.set('b', wireEntry('b'))
  await agent.server.listen()
  await expect
    .poll(
      () => {
        agent.clock.advance(agent.failures.at(-1)?.retryMs ?? 0)
        return agent.ids()
      },
      { timeout: 5_000 },
    )
    .toEqual(['b'])
})

test('polls that fail are repeated after longer and longer pauses, up to four minutes', async () => {
  await using agent = await setUp({ pushes: false })
  await expect.poll(() => agent.modes).toEqual(['polling'])
  agent.server.gate = () => {
    throw new IdentityError('INTERNAL', 'broken')
  }
  await agent.clock.sleepers(1)
  agent.clock.advance(5_000)
  await agent.fail(14)
  const pauses = agent.failures.map(({ retryMs }) => retryMs)
  expect(pauses.slice(0, 3)).toEqual([5_000, 7_500, 11_250])
  expect(pauses.at(-1)).toBe(4 * MINUTE)
})

test('while the agent has no SVIDs to serve it does not pause for long', async () => {
  await using agent = await setUp({ pushes: false, hasSvids: false })
  await expect.poll(() => agent.modes).toEqual(['polling'])
  agent.server.gate = () => {
    throw new IdentityError('INTERNAL', 'broken')
  }
  await agent.clock.sleepers(1)
  agent.clock.advance(5_000)
  await agent.fail(5)
  expect(agent.failures.every(({ retryMs }) => retryMs <= 5_000)).toBe(true)
})

test('what the server says about the agent is kept for whoever renews its SVID', async () => {
  await using agent = await setUp()
  agent.server.gate = () => {
    throw new IdentityError('AGENT_BANNED', 'authorization denied')
  }
  await agent.server.stop()
  await agent.server.listen()
  await expect
    .poll(() => {
      agent.clock.advance(10_000)
      return agent.standing.take()
    })
    .toMatchObject({ code: 'AGENT_BANNED' })
})

test('a new SVID of the agent is followed by a new stream, without a failure or a pause', async () => {
  await using agent = await setUp()
  await expect.poll(() => agent.modes).toEqual(['push'])
  agent.connection.renew(agent.connection.lease())
  await expect.poll(() => agent.modes).toEqual(['push', 'push'])
  expect(agent.failures).toEqual([])
  await expect.poll(() => agent.server.watchers).toBe(1)
})

test('a pushing server that answers nothing any more is given up, and connected to anew', async () => {
  await using agent = await setUp()
  await expect.poll(() => agent.modes).toEqual(['push'])
  const lease = agent.connection.lease()
  const asked = Promise.withResolvers<void>()
  agent.server.gate = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  await agent.clock.sleepers(1)
  agent.clock.advance(30_000)
  await asked.promise
  await agent.clock.sleepers(1)
  agent.clock.advance(30_000)
  await expect.poll(() => agent.failures.length).toBe(1)
  expect(agent.failures[0]?.error).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  expect(lease.signal.aborted).toBe(true)
})

test('federated bundles, which are not pushed, are asked for at every interval from the first entry that federates', async () => {
  await using agent = await setUp()
  await expect.poll(() => agent.modes).toEqual(['push'])
  agent.server.federated.set('partner.org', partner.bundle)
  agent.server.push({ entries: [wireEntry('b', { federates_with: ['partner.org'] })] })
  await expect.poll(agent.ids).toEqual(['a', 'b'])
  const known = () => agent.state.known.federated.get(partner.trustDomain)?.sequenceNumber
  // Each round is over when what it asked for is known; before that, who sleeps is the deadline of a call.
  for (const sequenceNumber of [8, 9]) {
    await expect.poll(() => agent.clock.sleeping).toBe(1)
    agent.server.federated.set('partner.org', { ...partner.bundle, sequenceNumber })
    agent.clock.advance(5_000)
    await expect.poll(known).toBe(sequenceNumber)
  }
  expect(agent.server.calls.filter((one) => one === 'GetBundle')).toHaveLength(2)
})

test('an agent that is to ask for all entries each time neither takes a push nor syncs changes', async () => {
  await using agent = await setUp({ usesSync: false })
  await expect.poll(agent.ids).toEqual(['a'])
  expect(agent.modes).toEqual(['polling'])
  expect(agent.server.calls).toContain('GetAuthorizedEntries')
  for (const other of ['Watch', 'SyncAuthorizedEntries']) {
    expect(agent.server.calls).not.toContain(other)
  }
})

test('a new stream tells how much the agent knows, so that no server tells it less', async () => {
  await using agent = await setUp()
  await expect.poll(() => agent.modes).toEqual(['push'])
  agent.server.push({ entries: [wireEntry('b')], sequence: 41 })
  agent.server.push({ sequence: 42 })
  await expect.poll(agent.ids).toEqual(['a', 'b'])
  agent.connection.renew(agent.connection.lease())
  await expect.poll(() => agent.modes).toEqual(['push', 'push'])
  expect(agent.server.watchRequests.map((one) => one.known_sequence)).toEqual([0, 42])
})

test('an agent that is asked to move begins a new stream on a new connection, without a failure', async () => {
  await using agent = await setUp()
  await expect.poll(() => agent.modes).toEqual(['push'])
  agent.server.push({ move: true })
  await expect.poll(() => agent.modes).toEqual(['push', 'push'])
  await expect.poll(() => agent.server.watchers).toBe(1)
  expect(agent.server.peers).toHaveLength(2)
  expect(agent.failures).toEqual([])
  expect(agent.ids()).toEqual(['a'])
})
