import { expect, test } from 'vitest'
import { pruneRegularly } from '../../../server/prune/prune-loop.ts'
import { pruneNodesJob } from '../../../server/prune/prune-nodes.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { id } from '../an-entry.ts'

const HOUR_MS = 3_600_000
const DAY_SECONDS = 86_400

async function openNodes(clock: FakeClock) {
  const store = await openStore({ path: ':memory:', clock })
  const attest = (path: string, canReattest: boolean, expiredSeconds: number) =>
    store.nodes.attest({
      id: id(`/spire/agent/${path}`),
      attestationType: canReattest ? 'x509pop' : 'join_token',
      serialNumber: '1',
      expiresAt: fromUnixSeconds(unixSeconds(clock.now()) - expiredSeconds),
      canReattest,
      selectors: [],
    })
  const left = async () => {
    const { items } = await store.nodes.list({}, { size: 100, token: '' })
    return items.map((node) => node.id.replace('spiffe://example.org/spire/agent/', ''))
  }
  return { store, attest, left }
}

const config = { expiredForSeconds: DAY_SECONDS, includeNonReattestable: false, most: 1000 }

test('forgets what has been expired for that long, and neither banned nodes nor those that cannot come back', async () => {
  const clock = new FakeClock()
  const { store, attest, left } = await openNodes(clock)
  await using _store = store
  await attest('x509pop/old', true, DAY_SECONDS + 1)
  await attest('x509pop/young', true, DAY_SECONDS - 1)
  await attest('x509pop/live', true, -60)
  await attest('x509pop/banned', true, DAY_SECONDS + 1)
  await store.nodes.ban(id('/spire/agent/x509pop/banned'))
  await attest('join_token/old', false, DAY_SECONDS + 1)
  const job = pruneNodesJob(config, { nodes: store.nodes, random: () => 0 })
  expect(await job.prune(clock.now(), 10)).toBe(1)
  expect(await left()).toEqual([
    'x509pop/young',
    'x509pop/live',
    'x509pop/banned',
    'join_token/old',
  ])
  const all = pruneNodesJob(
    { ...config, includeNonReattestable: true },
    { nodes: store.nodes, random: () => 0 },
  )
  expect(await all.prune(clock.now(), 10)).toBe(1)
  expect(await left()).not.toContain('join_token/old')
})

test('begins after a pause, so that agents can come back after an outage of the server, and takes no more than it may in a round', async () => {
  const clock = new FakeClock()
  const { store, attest, left } = await openNodes(clock)
  await using _store = store
  for (const name of ['a', 'b', 'c']) await attest(`x509pop/${name}`, true, 2 * DAY_SECONDS)
  const pruned: number[] = []
  const stop = new AbortController()
  const ended = pruneRegularly(
    pruneNodesJob({ ...config, most: 2 }, { nodes: store.nodes, random: () => 0.5 }),
    { clock, onPruned: (_, count) => pruned.push(count), onFailure: () => {} },
    stop.signal,
  )
  await clock.sleepers(1)
  expect(await left()).toHaveLength(3)
  clock.advance(HOUR_MS)
  await clock.sleepers(1)
  expect(pruned).toEqual([2])
  clock.advance(HOUR_MS)
  await clock.sleepers(1)
  expect(pruned).toEqual([2, 1])
  stop.abort()
  await ended
})

test('a round comes every hour, give or take a quarter of one', () => {
  const nodes = { pruneExpired: async () => [] }
  const everyMs = (random: number) => pruneNodesJob(config, { nodes, random: () => random }).everyMs
  expect([everyMs(0), everyMs(0.5), everyMs(1)]).toEqual([0.75 * HOUR_MS, HOUR_MS, 1.25 * HOUR_MS])
})
