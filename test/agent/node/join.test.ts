import { expect, test } from 'vitest'
import { openMemoryKeys } from '../../../agent/keys/memory.ts'
import { type JoinDeps, joinTrustDomain } from '../../../agent/node/join.ts'
import { joinTokenAttestor } from '../../../agent/node/join-token.ts'
import type { ServerTrust } from '../../../agent/node/server-credentials.ts'
import { NO_STATE, type NodeState, type TrustBegins } from '../../../agent/node/state.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { spkiOf } from '../../../spiffe/key.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer } from '../../fakes/fake-server.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { freePort } from '../../processes/free-port.ts'

const ca = await testCa()
const stranger = await testCa()
const ID = 'spiffe://example.org/spire/agent/join_token/token'

const by = (bundle: Bundle): ServerTrust => ({ kind: 'bundle', bundle: () => bundle })

interface Change extends Partial<Omit<JoinDeps, 'clock' | 'log'>> {
  readonly trust?: ServerTrust
  readonly token?: string | undefined
}

function setUp(port: number, { trust = by(ca.bundle), token = 'token', ...change }: Change = {}) {
  const clock = new FakeClock(TEST_NOW)
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const deps: JoinDeps = {
    server: { host: '127.0.0.1', port },
    trustDomain: ca.trustDomain,
    attestor: joinTokenAttestor(token === '' ? undefined : token),
    keys: openMemoryKeys(),
    state: NO_STATE,
    rebootstrap: { mode: 'never', delayMs: 600_000 },
    bootstrapTrust: async () => trust,
    noteTrust: async () => {},
    random: () => 0.5,
    ...change,
    clock,
    log,
  }
  return { clock, lines, stop, deps, join: () => joinTrustDomain(deps, stop.signal) }
}

const serverOf = (clock = new FakeClock(TEST_NOW)) => FakeServer.start(clock, { ca })

async function stateOf(path: string, fields = {}): Promise<{ state: NodeState } & Change> {
  const { chain, key } = await ca.leaf(path, fields)
  const keys = openMemoryKeys()
  await keys.put('agent-svid-B', key)
  return { keys, state: { ...NO_STATE, svidChain: chain, authorities: [ca.certificate] } }
}

test('a join token is turned into an agent SVID and the bundle', async () => {
  await using server = await serverOf()
  const { join, deps } = setUp(server.port)
  const { svid, bundle, isNew } = await join()
  expect(svid.id).toBe(ID)
  expect(spkiOf(svid.key)).toEqual(spkiOf(deps.keys.keys().get('agent-svid-A') ?? ca.key))
  expect(bundle.x509Authorities).toHaveLength(1)
  expect(isNew).toBe(true)
  expect(server.peers.map(({ serial }) => serial)).toEqual([undefined])
})

test('the bundle is asked for before the token is spent, which is good for one attempt only', async () => {
  await using server = await serverOf()
  await setUp(server.port).join()
  expect(server.calls).toEqual(['GetBundle', 'AttestAgent'])
})

test('the SVID of an earlier run is used without asking the server', async () => {
  const { join, lines } = setUp(1, await stateOf('/spire/agent/join_token/token'))
  const { svid, bundle, isNew } = await join()
  expect(svid.id).toBe(ID)
  expect(bundle.x509Authorities).toEqual([{ der: ca.certificate, tainted: false }])
  expect(isNew).toBe(false)
  expect(lines).toMatchObject([{ msg: 'Agent SVID loaded' }])
})

test('an SVID of an earlier run that has expired, or whose key was in memory, is of no use', async () => {
  await using server = await serverOf()
  const notAfter = new Date('2026-01-01T11:00:00Z')
  const expired = setUp(server.port, await stateOf('/spire/agent/join_token/old', { notAfter }))
  expect((await expired.join()).svid.id).toBe(ID)
  expect(expired.lines[0]).toMatchObject({ level: 'warn', msg: expect.stringContaining('expired') })
  server.tokens.add('token')
  const { state } = await stateOf('/spire/agent/join_token/old')
  const keyless = setUp(server.port, { state })
  expect((await keyless.join()).svid.id).toBe(ID)
})

test('refuses a data_dir that belongs to an agent of another trust domain', async () => {
  const uriSans = ['spiffe://partner.org/spire/agent/join_token/token']
  const { join } = setUp(1, await stateOf('/x', { uriSans }))
  await expect(join()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/data_dir cannot be used.*partner\.org/),
  })
})

test('a token that was used before ends it at once, and says what to do', async () => {
  await using server = await serverOf()
  await setUp(server.port).join()
  await expect(setUp(server.port).join()).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message:
      'node attestation failed: failed to attest: join token does not exist or has already been used; generate a new join token at the server ("token generate") and start the agent with it (-joinToken)',
  })
})

test('without a token and without an SVID there is nothing to try', async () => {
  const { join } = setUp(1, { token: '' })
  await expect(join()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('join token was not provided'),
  })
})

test('a server that is away is tried again for a minute, and the reason is logged each time', async () => {
  const port = await freePort()
  const { join, clock, lines } = setUp(port)
  const failed = expect(join()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      `^node attestation failed: the server at 127.0.0.1:${port} cannot be reached: connect ECONNREFUSED`,
    ),
  })
  for (let tries = 1; tries <= 3; tries++) {
    await expect.poll(() => lines.filter(({ level }) => level === 'warn').length).toBe(tries)
    clock.advance(17_000)
  }
  await failed
  expect(lines[0]).toMatchObject({ code: 'UNAVAILABLE', retry_ms: 5_000 })
})

test('a server that comes up meanwhile is joined', async () => {
  await using server = await serverOf()
  await server.stop()
  const { join, clock, lines } = setUp(server.port)
  const joined = join()
  await expect.poll(() => lines.length).toBe(1)
  await server.listen()
  clock.advance(6_000)
  expect((await joined).svid.id).toBe(ID)
})

const TOKEN_UNSPENT = new Set(['token'])

test.for<[string, Change, RegExp]>([
  ['of another bundle', { trust: by(stranger.bundle) }, /the trust bundle does not vouch for it/],
  [
    'of another trust domain',
    { trustDomain: parseTrustDomain('partner.org') },
    /it is spiffe:\/\/example\.org\/spire\/server, expected spiffe:\/\/partner\.org\/spire\/server/,
  ],
  [
    'of another trust domain, even in an insecure bootstrap',
    { trustDomain: parseTrustDomain('partner.org'), trust: { kind: 'insecure' } },
    /expected spiffe:\/\/partner\.org\/spire\/server/,
  ],
])('refuses a server %s, without sending it the token', async ([, change, reason]) => {
  await using server = await serverOf()
  const { join, clock, lines, stop } = setUp(server.port, change)
  const failed = expect(join()).rejects.toBeDefined()
  await expect
    .poll(() => lines.find(({ reason: why }) => why !== undefined)?.reason)
    .toMatch(reason)
  expect(server.calls).toEqual([])
  expect(server.tokens).toEqual(TOKEN_UNSPENT)
  stop.abort()
  clock.advance(60_000)
  await failed
})

test('an impostor with a certificate of the server’s name from another CA is refused', async () => {
  await using impostor = await FakeServer.start(new FakeClock(TEST_NOW), { ca: stranger })
  const { join, lines, stop } = setUp(impostor.port)
  const failed = expect(join()).rejects.toBeDefined()
  await expect.poll(() => lines[0]).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  expect(impostor.calls).toEqual([])
  stop.abort()
  await failed
})

test('an insecure bootstrap believes whoever has the server’s name, and warns loudly', async () => {
  await using server = await serverOf()
  const { join, lines } = setUp(server.port, { trust: { kind: 'insecure' } })
  const { bundle } = await join()
  expect(bundle.x509Authorities.map(({ der }) => Buffer.from(der))).toEqual([
    Buffer.from(ca.certificate),
  ])
  expect(lines[0]).toMatchObject({ level: 'warn', msg: expect.stringContaining('INSECURE') })
})

test('after an insecure bootstrap nobody else is believed any more', async () => {
  await using impostor = await FakeServer.start(new FakeClock(TEST_NOW), { ca: stranger })
  const state = { ...NO_STATE, authorities: [ca.certificate] }
  const { join, lines, stop } = setUp(impostor.port, { state, trust: { kind: 'insecure' } })
  const failed = expect(join()).rejects.toBeDefined()
  await expect.poll(() => lines[0]).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  expect(impostor.calls).toEqual([])
  stop.abort()
  await failed
})

/** An agent whose stored bundle is not the server's any more, while the configured one is. */
const outdated = { ...NO_STATE, authorities: [stranger.certificate] }

test('a stored bundle is the only one unless the operator lets trust begin anew: the configured one may be older', async () => {
  await using server = await serverOf()
  const { join, clock, lines } = setUp(server.port, { state: outdated })
  const failed = expect(join()).rejects.toMatchObject({
    code: 'CERTIFICATE_UNTRUSTED',
    message: expect.stringContaining('rebootstrap_mode'),
  })
  for (let tries = 1; tries <= 3; tries++) {
    await expect.poll(() => lines.filter(({ level }) => level === 'warn').length).toBe(tries)
    clock.advance(17_000)
  }
  await failed
  expect(server.calls).toEqual([])
})

test('with rebootstrapping the configured bundle is asked once the server has been unknown for long enough', async () => {
  await using server = await serverOf()
  const noted: TrustBegins[] = []
  const { join, clock, lines } = setUp(server.port, {
    state: outdated,
    rebootstrap: { mode: 'auto', delayMs: 12_000 },
    noteTrust: async (begins) => {
      noted.push(begins)
    },
  })
  const joined = join()
  const retries = () => lines.filter(({ retry_ms }) => retry_ms !== undefined).length
  for (const [tries, passedMs] of [5_000, 9_000].entries()) {
    await expect.poll(retries).toBe(tries + 1)
    clock.advance(passedMs)
  }
  const left = lines.flatMap(({ time_left_ms }) => time_left_ms ?? [])
  expect(left).toEqual([12_000, 7_000])
  expect((await joined).svid.id).toBe(ID)
  expect(noted).toEqual([
    { mode: 'rebootstrap', since: TEST_NOW, attempts: 0 },
    { mode: 'rebootstrap', since: TEST_NOW, attempts: 1 },
  ])
})

test('the time of an earlier run counts', async () => {
  await using server = await serverOf()
  const since = new Date(TEST_NOW.getTime() - 600_000)
  const { join } = setUp(server.port, {
    state: { ...outdated, trustBegins: { mode: 'rebootstrap', since, attempts: 4 } },
    rebootstrap: { mode: 'always', delayMs: 600_000 },
  })
  expect((await join()).svid.id).toBe(ID)
})

test('an impostor gains nothing by a rebootstrap: the configured bundle does not vouch for him either', async () => {
  await using impostor = await FakeServer.start(new FakeClock(TEST_NOW), { ca: stranger })
  const since = new Date(TEST_NOW.getTime() - 600_000)
  const { join, lines, stop } = setUp(impostor.port, {
    state: {
      ...NO_STATE,
      authorities: [ca.certificate],
      trustBegins: { mode: 'rebootstrap', since, attempts: 0 },
    },
    rebootstrap: { mode: 'auto', delayMs: 600_000 },
  })
  const failed = expect(join()).rejects.toBeDefined()
  await expect.poll(() => lines.filter(({ retry_ms }) => retry_ms).length).toBe(1)
  expect(impostor.calls).toEqual([])
  stop.abort()
  await failed
})

test('a server whose certificate has merely expired is no reason to begin anew', async () => {
  await using server = await serverOf()
  const { join, clock, lines, stop } = setUp(server.port, {
    state: { ...NO_STATE, authorities: [ca.certificate] },
    rebootstrap: { mode: 'auto', delayMs: 1 },
    bootstrapTrust: () => Promise.reject(new Error('asked for the configured bundle')),
  })
  clock.advance(30 * 24 * 3600_000)
  const failed = expect(join()).rejects.toBeDefined()
  await expect.poll(() => lines[0]?.reason).toMatch(/expired/)
  stop.abort()
  await failed
})

test('refuses an SVID that the server’s own bundle does not vouch for', async () => {
  await using server = await serverOf()
  server.bundle = stranger.bundle
  const { join, lines, stop } = setUp(server.port)
  const failed = expect(join()).rejects.toBeDefined()
  await expect.poll(() => lines[0]).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  stop.abort()
  await failed
})

test('a server without the attestor ends it at once', async () => {
  await using server = await serverOf()
  server.gate = (method) => {
    if (method === 'AttestAgent') throw new IdentityError('PRECONDITION_FAILED', 'no such attestor')
  }
  await expect(setUp(server.port).join()).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
})

test('an attestation that is stopped leaves no connection behind', async () => {
  await using server = await serverOf()
  const asked = Promise.withResolvers<void>()
  server.gate = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const { join, stop } = setUp(server.port)
  const stopped = expect(join()).rejects.toBeDefined()
  await asked.promise
  stop.abort()
  await stopped
})

test('with another server to ask, one that cannot attest now is not waited for, and the log names its address', async () => {
  await using first = await serverOf()
  await using second = await serverOf()
  first.gate = (method) => {
    if (method !== 'AttestAgent') return
    throw new IdentityError('UNAVAILABLE', 'the database is away')
  }
  const server = {
    host: '127.0.0.1',
    port: first.port,
    others: [{ host: '127.0.0.1', port: second.port }],
  }
  const { join, lines, clock } = setUp(first.port, { server, random: () => 0 })
  expect((await join()).svid.id).toBe(ID)
  expect(clock.sleeping).toBe(0)
  expect(first.calls).toEqual(['GetBundle', 'AttestAgent'])
  expect(second.calls).toEqual(['GetBundle', 'AttestAgent'])
  expect(lines.map(({ reason }) => reason)).toContain(
    `the server at 127.0.0.1:${first.port} gave no answer: the database is away`,
  )
})

test('a refusal of one server is not taken to another: the token is spent for all of them', async () => {
  await using first = await serverOf()
  await using second = await serverOf()
  first.tokens.clear()
  const others = [{ host: '127.0.0.1', port: second.port }]
  const server = { host: '127.0.0.1', port: first.port, others }
  const { join } = setUp(first.port, { server, random: () => 0 })
  await expect(join()).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  expect(second.calls).toEqual([])
})
