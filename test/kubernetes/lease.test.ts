/** The lease on a clock that a test moves: who leads, when it ends, and that two never do at the same time. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Cluster, ClusterRequest } from '../../kubernetes/cluster.ts'
import { holdLease, type Leadership } from '../../kubernetes/lease.ts'
import { recordAt } from '../../kubernetes/object.ts'
import { refusal } from '../../kubernetes/status.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLog } from '../fakes/memory-log.ts'

interface Spec {
  readonly holderIdentity: string
  readonly leaseTransitions: number
}

/** One Lease with versions, as an API server keeps it. */
function createApi() {
  let lease: { metadata: { resourceVersion: string }; spec: Spec } | undefined
  let version = 0
  const away = new Set<string>()
  const refuse = (status: number, reason: string) =>
    refusal('a request', status, JSON.stringify({ message: reason, reason }))
  const clusterOf = (name: string): Cluster => ({
    server: 'https://api.test',
    async request({ method, body }: ClusterRequest) {
      await nextTurn()
      if (away.has(name)) throw new IdentityError('UNAVAILABLE', 'the API server did not answer')
      if (method === 'GET') {
        if (lease === undefined) throw refuse(404, 'NotFound')
        return lease
      }
      // What the holder writes is a Lease.
      const spec = recordAt(body, 'spec') as unknown as Spec
      if (method === 'POST' && lease !== undefined) throw refuse(409, 'AlreadyExists')
      const given = recordAt(body, 'metadata').resourceVersion
      if (method === 'PUT' && given !== lease?.metadata.resourceVersion)
        throw refuse(409, 'Conflict')
      version += 1
      lease = { metadata: { resourceVersion: String(version) }, spec }
      return lease
    },
    watch: () => Promise.reject(new Error('nobody watches')),
    [Symbol.dispose]() {},
  })
  return {
    clusterOf,
    /** Nothing of this one reaches the API server any more. */
    cut: (name: string) => void away.add(name),
    join: (name: string) => void away.delete(name),
    spec: () => lease?.spec,
    /** Somebody else writes it. */
    seize(holderIdentity: string) {
      version += 1
      const spec = { ...lease?.spec, holderIdentity, leaseTransitions: 9, leaseDurationSeconds: 15 }
      lease = { metadata: { resourceVersion: String(version) }, spec }
    },
  }
}

function createWorld() {
  const api = createApi()
  const clock = new FakeClock()
  const leaders = new Set<string>()
  let most = 0
  const start = (name: string, own: Clock = clock) => {
    const { log, lines } = memoryLog()
    const stop = new AbortController()
    const leaderships: Leadership[] = []
    const ended = holdLease(
      {
        ...{ namespace: 'spire', name: 'controller', identity: name },
        ...{ durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
      },
      { cluster: api.clusterOf(name), clock: own, random: () => 0.5, log },
      async (leadership) => {
        leaderships.push(leadership)
        leaders.add(name)
        most = Math.max(most, leaders.size)
        await new Promise((resolve) => leadership.signal.addEventListener('abort', resolve))
        leaders.delete(name)
      },
      stop.signal,
    )
    return { name, leaderships, lines, ended, stop: () => stop.abort() }
  }
  /** Time passes in small steps, and everybody gets to do what is due. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(left, 500))
      for (let turn = 0; turn < 12; turn += 1) await nextTurn()
    }
  }
  return { api, clock, leaders, start, pass, most: () => most }
}

const end = async (
  clock: FakeClock,
  ...holders: readonly { stop(): void; ended: Promise<void> }[]
) => {
  for (const { stop } of holders) stop()
  clock.advance(60_000)
  await Promise.all(holders.map(({ ended }) => ended))
}

describe('of two holders', () => {
  test('one leads, and goes on as long as it renews', async () => {
    const { api, clock, leaders, start, pass, most } = createWorld()
    const a = start('a')
    await pass(1_000)
    const b = start('b')
    await pass(120_000)
    expect([...leaders]).toEqual(['a'])
    expect(most()).toBe(1)
    expect(api.spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 })
    await end(clock, a, b)
  })

  test('the other one leads soon after the first was stopped, which gives the lease back', async () => {
    const { api, clock, leaders, start, pass, most } = createWorld()
    const [a, b] = [start('a'), start('b')]
    await pass(3_000)
    expect([...leaders]).toEqual(['a'])
    a.stop()
    await pass(6_000)
    await a.ended
    expect([...leaders]).toEqual(['b'])
    expect(api.spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
    expect(most()).toBe(1)
    await end(clock, b)
    expect(api.spec()?.holderIdentity).toBe('')
  })

  test('the first one ends before the other one begins when it is cut off', async () => {
    const { api, clock, leaders, start, pass, most } = createWorld()
    const [a, b] = [start('a'), start('b')]
    await pass(4_000)
    api.cut('a')
    await pass(11_000)
    expect([...leaders]).toEqual([])
    expect(() => a.leaderships[0]?.mustLead()).toThrow('is not ours any more')
    await pass(10_000)
    expect([...leaders]).toEqual(['b'])
    expect(most()).toBe(1)
    api.join('a')
    await pass(30_000)
    expect([...leaders]).toEqual(['b'])
    await end(clock, a, b)
  })

  test('a killed one is waited for as long as its lease says, and no longer', async () => {
    const { api, clock, leaders, start, pass } = createWorld()
    api.seize('killed')
    const a = start('a')
    await pass(14_500)
    expect([...leaders]).toEqual([])
    await pass(5_000)
    expect([...leaders]).toEqual(['a'])
    await end(clock, a)
  })
})

describe('a leader ends', () => {
  test('at once when somebody else holds the lease', async () => {
    const { api, clock, leaders, start, pass } = createWorld()
    const a = start('a')
    await pass(1_000)
    api.seize('b')
    await pass(3_000)
    expect([...leaders]).toEqual([])
    expect(a.lines.some(({ msg }) => msg.startsWith('Lost the lease'))).toBe(true)
    await end(clock, a)
    expect(api.spec()?.holderIdentity).toBe('b')
  })

  test('in time although its clock is set back while it is cut off', async () => {
    const { api, clock, start, pass, leaders } = createWorld()
    let offsetMs = 0
    const own: Clock = {
      now: () => new Date(clock.now().getTime() + offsetMs),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    }
    const a = start('a', own)
    await pass(3_000)
    api.cut('a')
    offsetMs = -3_600_000
    await pass(11_000)
    expect([...leaders]).toEqual([])
    await end(clock, a)
  })

  test('before its next write after it was stopped for a while', async () => {
    const { api, clock, start, pass } = createWorld()
    const a = start('a')
    await pass(1_000)
    const [leadership] = a.leaderships
    expect(leadership?.signal.aborted).toBe(false)
    api.cut('a')
    clock.advance(20_000)
    // Nothing of ours has run since, as after SIGCONT.
    expect(() => leadership?.mustLead()).toThrow('is not ours any more')
    await end(clock, a)
  })

  test('and leads again when it may', async () => {
    const { api, clock, leaders, start, pass } = createWorld()
    const a = start('a')
    await pass(1_000)
    api.cut('a')
    await pass(12_000)
    api.join('a')
    await pass(20_000)
    expect([...leaders]).toEqual(['a'])
    expect(a.leaderships).toHaveLength(2)
    await end(clock, a)
  })
})

test('an API server that is away at first is asked again', async () => {
  const { api, clock, leaders, start, pass } = createWorld()
  api.cut('a')
  const a = start('a')
  await pass(30_000)
  expect([...leaders]).toEqual([])
  api.join('a')
  await pass(5_000)
  expect([...leaders]).toEqual(['a'])
  await end(clock, a)
})

test('what the work fails with is told, and the lease is given back', async () => {
  const { api, clock } = createWorld()
  const { log } = memoryLog()
  const holding = holdLease(
    {
      ...{ namespace: 'spire', name: 'controller', identity: 'a' },
      ...{ durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
    },
    { cluster: api.clusterOf('a'), clock, random: () => 0.5, log },
    () => Promise.reject(new Error('the work failed')),
    new AbortController().signal,
  )
  await expect(holding).rejects.toThrow('the work failed')
  expect(api.spec()?.holderIdentity).toBe('')
})
