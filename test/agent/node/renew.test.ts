import { expect, test } from 'vitest'
import type { KeyStore } from '../../../agent/keys/key-store.ts'
import { openMemoryKeys } from '../../../agent/keys/memory.ts'
import { type AgentSvid, agentSvid } from '../../../agent/node/agent-svid.ts'
import { createDiskDebt, type DebtName } from '../../../agent/node/disk-debt.ts'
import { keepRenewed, type RenewDeps } from '../../../agent/node/renew.ts'
import { connectServer } from '../../../agent/node/server-connection.ts'
import { createStanding } from '../../../agent/node/standing.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { type ErrorCode, IdentityError } from '../../../spiffe/error.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer } from '../../fakes/fake-server.ts'

const ca = await testCa()
const { trustDomain } = ca
const HOUR = 3600_000
const FULL = new Error('ENOSPC: no space left on device')
const BACKDATE_MS = 10_000
const LIFE = {
  notBefore: new Date(TEST_NOW.getTime() - BACKDATE_MS),
  notAfter: new Date(TEST_NOW.getTime() + HOUR),
}

/** An agent whose SVID lives for an hour from now, beside a server that renews it. */
async function setUp({
  reattestable = false,
  availabilityTargetSeconds = undefined as number | undefined,
} = {}) {
  const clock = new FakeClock(TEST_NOW)
  const server = await FakeServer.start(clock, { ca })
  const { chain, key } = await ca.leaf('/spire/agent/join_token/token', LIFE)
  const state = {
    svid: agentSvid({ chain, key, reattestable, trustDomain }),
    bundle: ca.bundle as Bundle,
    attested: 0,
    isDiskFull: false,
    onAdopt: () => {},
  }
  const memory = openMemoryKeys()
  await memory.put('agent-svid-A', key)
  const keys: KeyStore = {
    ...memory,
    put: (id, next) => (state.isDiskFull ? Promise.reject(FULL) : memory.put(id, next)),
  }
  const trust = { kind: 'bundle', bundle: () => state.bundle } as const
  const { port } = server
  const connection = connectServer(
    { host: '127.0.0.1', port, trustDomain, trust, clock },
    state.svid,
  )
  const standing = createStanding()
  const adopted: AgentSvid[] = []
  const failures: unknown[] = []
  const owed = new Map<DebtName, () => Promise<void>>()
  const deps: RenewDeps = {
    ...{ connection, standing, keys, clock },
    policy: { availabilityTargetSeconds },
    advice: 'do this',
    svid: () => state.svid,
    bundle: () => state.bundle,
    hold(svid) {
      state.svid = svid
      connection.replace(svid)
    },
    owe: (name, write) => owed.set(name, write),
    async adopt(svid) {
      if (state.isDiskFull) throw FULL
      adopted.push(svid)
      state.svid = svid
      connection.replace(svid)
      state.onAdopt()
    },
    async attest(next) {
      state.attested += 1
      const now = clock.now().getTime()
      const life = { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + HOUR) }
      const again = await ca.leaf('/spire/agent/join_token/token', { ...life, key: next })
      return agentSvid({ chain: again.chain, key: next, reattestable, trustDomain })
    },
    onFailure: (error) => failures.push(error),
    random: () => 0.5,
  }
  const stop = new AbortController()
  const running = keepRenewed(deps, stop.signal)
  running.catch(() => {})
  return {
    ...{ server, clock, state, keys, standing, connection, adopted, failures, owed, running },
    refuse: (code: ErrorCode) =>
      standing.report(new IdentityError(code, 'authorization denied'), connection.lease()),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running.catch(() => {})
      connection[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('the agent SVID is renewed at half of its life, for a new key, beside the old one', async () => {
  await using agent = await setUp()
  const before = agent.state.svid
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2 - 1)
  expect(agent.server.calls).toEqual([])
  agent.clock.advance(1)
  await expect.poll(() => agent.adopted.length).toBe(1)
  expect(agent.state.svid.key).not.toBe(before.key)
  expect([...agent.keys.keys().values()]).toEqual([before.key, agent.state.svid.key])
  expect(agent.server.calls).toEqual(['RenewAgent'])
})

test('the next key takes the place of the one before the last', async () => {
  await using agent = await setUp()
  for (let round = 1; round <= 3; round++) {
    await agent.clock.sleepers(1)
    agent.clock.advance(HOUR / 2 + 10_000)
    await expect.poll(() => agent.adopted.length).toBe(round)
    expect([...agent.keys.keys().values()]).toContain(agent.state.svid.key)
  }
  expect(agent.keys.keys().size).toBe(2)
})

test('an agent that can attest again does that instead of renewing', async () => {
  await using agent = await setUp({ reattestable: true })
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.adopted.length).toBe(1)
  expect(agent.state.attested).toBe(1)
  expect(agent.server.calls).toEqual([])
})

test('a renewal that fails is tried again, and the old SVID is used meanwhile', async () => {
  await using agent = await setUp()
  const before = agent.state.svid
  agent.server.gate = () => {
    throw new IdentityError('UNAVAILABLE', 'not now')
  }
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.failures.length).toBe(1)
  expect(agent.state.svid).toBe(before)
  agent.server.gate = () => {}
  await agent.clock.sleepers(1)
  agent.clock.advance(6_000)
  await expect.poll(() => agent.adopted.length).toBe(1)
})

test('an agent that could not renew until its SVID expired stops, and says why', async () => {
  await using agent = await setUp()
  await agent.server.stop()
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR)
  await expect(agent.running).rejects.toMatchObject({
    code: 'AGENT_EXPIRED',
    message: expect.stringMatching(/has expired and could not be renewed: .*; do this$/),
  })
})

test.for([
  ['AGENT_BANNED', /banned/],
  ['AGENT_NOT_ATTESTED', /does not know it/],
  ['AGENT_NOT_ACTIVE', /not the one that the server expects/],
  ['AGENT_EXPIRED', /has expired/],
] as const)('%s stops an agent that cannot attest again, and says why', async ([code, reason]) => {
  await using agent = await setUp()
  await agent.clock.sleepers(1)
  agent.refuse(code)
  await expect(agent.running).rejects.toMatchObject({
    code,
    message: expect.stringMatching(reason),
  })
})

test('a refusal of the renewal itself stops the agent too', async () => {
  await using agent = await setUp()
  agent.server.gate = () => {
    throw new IdentityError('AGENT_BANNED', 'authorization denied')
  }
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect(agent.running).rejects.toMatchObject({ code: 'AGENT_BANNED' })
})

test.for(['AGENT_NOT_ATTESTED', 'AGENT_NOT_ACTIVE', 'AGENT_MUST_REATTEST'] as const)(
  '%s makes an agent that can do so attest again at once',
  async (code) => {
    await using agent = await setUp({ reattestable: true })
    await agent.clock.sleepers(1)
    agent.refuse(code)
    await expect.poll(() => agent.adopted.length).toBe(1)
    expect(agent.state.attested).toBe(1)
  },
)

test('a ban stops also an agent that can attest again', async () => {
  await using agent = await setUp({ reattestable: true })
  await agent.clock.sleepers(1)
  agent.refuse('AGENT_BANNED')
  await expect(agent.running).rejects.toMatchObject({ code: 'AGENT_BANNED' })
})

test('a refusal of the SVID before this one is not believed', async () => {
  await using agent = await setUp()
  await agent.clock.sleepers(1)
  const old = agent.connection.lease()
  agent.connection.renew(old)
  agent.standing.report(new IdentityError('AGENT_NOT_ACTIVE', 'authorization denied'), old)
  expect(agent.standing.take()).toBeUndefined()
})

test('an SVID that a tainted authority signed is renewed at once, and not over and over', async () => {
  await using agent = await setUp()
  await agent.clock.sleepers(1)
  const x509Authorities = ca.bundle.x509Authorities.map(({ der }) => ({ der, tainted: true }))
  agent.state.bundle = { ...ca.bundle, x509Authorities }
  agent.standing.bell.ring()
  await expect.poll(() => agent.adopted.length).toBe(1)
  await agent.clock.sleepers(1)
  expect(agent.adopted).toHaveLength(1)
  agent.clock.advance(5_000)
  await expect.poll(() => agent.adopted.length).toBe(2)
})

test('an SVID that is due when it comes is not renewed over and over', async () => {
  await using agent = await setUp()
  agent.server.ttlMs = 1_000
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.adopted.length).toBe(1)
  await agent.clock.sleepers(1)
  expect(agent.adopted).toHaveLength(1)
})

test('an SVID that the bundle does not vouch for is not taken over', async () => {
  await using agent = await setUp()
  const stranger = await testCa()
  await agent.clock.sleepers(1)
  const before = agent.state.svid
  agent.server.gate = () => {
    agent.state.bundle = stranger.bundle
  }
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.failures.length).toBe(1)
  expect(agent.state.svid).toBe(before)
})

test('the server sees the certificate of the renewed SVID from then on', async () => {
  await using agent = await setUp()
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.adopted.length).toBe(1)
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2 + 10_000)
  await expect.poll(() => agent.adopted.length).toBe(2)
  const [leaf] = agent.adopted[0]?.chain ?? []
  expect(agent.server.peers.at(-1)?.serial).toBe(
    parseCertificate(leaf ?? Buffer.alloc(0)).serialHex,
  )
})

test('while the disk is full a renewal is tried again, and shortly before the end it is used from memory', async () => {
  await using agent = await setUp()
  const before = agent.state.svid
  agent.state.isDiskFull = true
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.failures).toContain(FULL)
  expect(agent.server.calls).toEqual([]) // without a key on disk the server is not even asked
  expect(agent.owed.size).toBe(0)
  await agent.clock.sleepers(1)
  agent.clock.advance(0.45 * HOUR)
  await expect.poll(() => agent.state.svid).not.toBe(before)
  expect([...agent.owed.keys()]).toEqual(['key', 'svid'])
  expect(agent.adopted).toEqual([])
  agent.state.isDiskFull = false
  for (const write of agent.owed.values()) await write()
  expect(agent.adopted).toEqual([agent.state.svid])
  expect([...agent.keys.keys().values()]).toContain(agent.state.svid.key)
})

test('what is owed to the disk is written in its order as soon as the disk takes it', async () => {
  const clock = new FakeClock()
  const written: string[] = []
  const failures: unknown[] = []
  let isFull = true
  const debt = createDiskDebt({
    clock,
    onPaid: () => written.push('paid'),
    onFailure: (error) => failures.push(error),
  })
  const stop = new AbortController()
  const paying = debt.pay(stop.signal)
  const write = (what: string) => async () => {
    if (isFull) throw FULL
    written.push(what)
  }
  await clock.sleepers(1)
  debt.owe('svid', write('an older SVID'))
  debt.owe('svid', write('the SVID'))
  debt.owe('key', write('the key'))
  await clock.sleepers(1)
  clock.advance(10_000)
  await expect.poll(() => failures).toEqual([FULL])
  isFull = false
  await clock.sleepers(1)
  clock.advance(10_000)
  await expect.poll(() => written).toEqual(['the key', 'the SVID', 'paid'])
  stop.abort()
  await paying
})

test('an SVID that came before the clock was set back is renewed as soon as somebody rings; a failure says why it is none to be surprised at', async () => {
  await using agent = await setUp()
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.adopted.length).toBe(1)
  await agent.clock.sleepers(1)
  agent.server.gate = () => {
    throw new IdentityError('UNAVAILABLE', 'not now')
  }
  agent.clock.advance(-HOUR)
  agent.standing.bell.ring()
  await expect.poll(() => agent.failures.length).toBe(1)
  expect(agent.failures[0]).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /not valid before .*Z, and it is .*Z by the clock of this machine; set the clock right/,
    ),
  })
})

test('an SVID that came a moment before the clock was set back is renewed at once, even if nobody looked at the clock in between', async () => {
  await using agent = await setUp()
  agent.state.onAdopt = () => {
    agent.state.onAdopt = () => {}
    agent.clock.advance(-HOUR)
  }
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.adopted.length).toBe(2)
  expect(agent.failures).toEqual([])
})

test('after failed renewals the next one does not wait any longer once somebody rings', async () => {
  await using agent = await setUp()
  agent.state.isDiskFull = true
  await agent.clock.sleepers(1)
  agent.clock.advance(HOUR / 2)
  await expect.poll(() => agent.failures.length).toBe(1)
  await agent.clock.sleepers(1)
  agent.state.isDiskFull = false
  agent.standing.bell.ring()
  await expect.poll(() => agent.adopted.length).toBe(1)
})
