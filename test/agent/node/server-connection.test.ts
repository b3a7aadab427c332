import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { type AgentSvid, agentSvid } from '../../../agent/node/agent-svid.ts'
import { callUnary } from '../../../agent/node/call.ts'
import { connectServer } from '../../../agent/node/server-connection.ts'
import type { Bundle as WireBundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { TEST_NOW, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer } from '../../fakes/fake-server.ts'
import { serveTls } from '../../fakes/tls-server.ts'

const ca = await testCa()
const { trustDomain } = ca
const leafOf = () => ca.leaf('/spire/agent/join_token/token')
const svidOf = ({ chain, key }: TestLeaf): AgentSvid =>
  agentSvid({ chain, key, reattestable: false, trustDomain })
const serialOf = ({ certificate }: TestLeaf) => parseCertificate(certificate).serialHex

function connect(
  port: number,
  { svid, host = '127.0.0.1' }: { svid?: AgentSvid; host?: string } = {},
) {
  const clock = new FakeClock(TEST_NOW)
  const trust = { kind: 'bundle', bundle: () => ca.bundle } as const
  const connection = connectServer({ host, port, trustDomain, trust, clock }, svid)
  const { signal } = new AbortController()
  const call = async (lease = connection.lease()) => {
    try {
      return await callUnary<WireBundle>((done) => lease.bundle.GetBundle({}, done), {
        clock,
        signal,
      })
    } catch (error) {
      throw connection.explain(error)
    }
  }
  return { connection, call, [Symbol.dispose]: () => connection[Symbol.dispose]() }
}

const serverOf = () => FakeServer.start(new FakeClock(TEST_NOW), { ca })

test.for(['127.0.0.1', 'localhost'])(
  'a server is reached at %s and verified by its SPIFFE ID alone',
  async (host) => {
    await using server = await serverOf()
    using client = connect(server.port, { host })
    expect((await client.call()).trust_domain).toBe('example.org')
  },
)

test('the agent presents its SVID, and a new one takes over at once', async () => {
  await using server = await serverOf()
  const [first, second] = [await leafOf(), await leafOf()]
  using client = connect(server.port, { svid: svidOf(first) })
  const lease = client.connection.lease()
  await client.call()
  expect(lease.signal.aborted).toBe(false)
  client.connection.replace(svidOf(second))
  expect(lease.signal.aborted).toBe(true)
  await client.call()
  expect(server.peers.map(({ serial }) => serial)).toEqual([serialOf(first), serialOf(second)])
})

test('a call that is running when a new SVID takes over ends well', async () => {
  await using server = await serverOf()
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  server.gate = () => {
    asked.resolve()
    return answer.promise
  }
  using client = connect(server.port, { svid: svidOf(await leafOf()) })
  const running = client.call()
  await asked.promise
  client.connection.replace(svidOf(await leafOf()))
  answer.resolve()
  expect((await running).trust_domain).toBe('example.org')
})

test('a lease that has been replaced does not bring down its successor', async () => {
  await using server = await serverOf()
  using client = connect(server.port)
  const old = client.connection.lease()
  client.connection.renew(old)
  const current = client.connection.lease()
  client.connection.renew(old)
  expect(client.connection.lease()).toBe(current)
})

test('calls share one connection', async () => {
  await using server = await serverOf()
  using client = connect(server.port)
  await Promise.all(Array.from({ length: 10 }, () => client.call()))
  expect(server.peers).toHaveLength(1)
})

test('a server that comes back is found again', async () => {
  await using server = await serverOf()
  using client = connect(server.port)
  await client.call()
  await server.stop()
  await expect(client.call()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await server.listen()
  await expect
    .poll(() => client.call().catch(() => undefined), { timeout: 5_000 })
    .toMatchObject({ trust_domain: 'example.org' })
})

test('an unreachable server is named, with the reason and what to check', async () => {
  await using server = await serverOf()
  await server.stop()
  using client = connect(server.port)
  await expect(client.call()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `the server at 127.0.0.1:${server.port} cannot be reached: connect ECONNREFUSED 127.0.0.1:${server.port}; check server_address and server_port, and that the server runs`,
  })
})

test('a server that says itself that it cannot answer now is not called unreachable', async () => {
  await using server = await serverOf()
  server.gate = () => {
    throw new IdentityError('UNAVAILABLE', 'the server is shutting down; connect again')
  }
  using client = connect(server.port)
  await expect(client.call()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `the server at 127.0.0.1:${server.port} gave no answer: the server is shutting down; connect again`,
  })
})

test('a name that leads nowhere is named', async () => {
  using client = connect(1, { host: 'nowhere.invalid' })
  await expect(client.call()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/^the server at nowhere\.invalid:1 cannot be reached: /),
  })
})

const partner = await testCa({ trustDomain: 'partner.org' })
const NAMED = { uriSans: ['spiffe://example.org/spire/server'] }

test.for<[string, () => Promise<TestLeaf>, RegExp]>([
  [
    'is a workload of our trust domain',
    () => ca.leaf('/workload'),
    /expected spiffe:\/\/example\.org\/spire\/server/,
  ],
  ['is an agent', leafOf, /expected spiffe:\/\/example\.org\/spire\/server/],
  [
    'is the server of another trust domain',
    () => partner.leaf('/spire/server'),
    /it is spiffe:\/\/partner\.org/,
  ],
  [
    'has our server’s name from another trust domain’s CA',
    () => partner.leaf('/x', NAMED),
    /does not vouch/,
  ],
  [
    'has expired',
    () => ca.leaf('/spire/server', { notAfter: new Date('2026-01-01T01:00:00Z') }),
    /does not vouch/,
  ],
  ['names nobody', () => ca.leaf('/x', { uriSans: [] }), /names no SPIFFE ID/],
  [
    'names itself twice',
    () => ca.leaf('/x', { uriSans: [...NAMED.uriSans, ...NAMED.uriSans] }),
    /several/,
  ],
])('no byte is sent to a server that %s', async ([, leaf, reason]) => {
  await using impostor = await serveTls(await leaf())
  using client = connect(impostor.port)
  await expect(client.call()).rejects.toMatchObject({
    code: 'CERTIFICATE_UNTRUSTED',
    message: expect.stringMatching(reason),
  })
  expect(impostor.received).toEqual([])
})

test('no byte is sent to a server that does not speak HTTP/2', async () => {
  await using other = await serveTls(await ca.leaf('/spire/server'), 'http/1.1')
  using client = connect(other.port)
  await expect(client.call()).rejects.toMatchObject({ code: expect.stringMatching(/UN/) })
  expect(other.received).toEqual([])
})

test('what speaks no TLS at all is no server', async () => {
  const plain = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  const address = plain.address()
  using client = connect(typeof address === 'object' && address !== null ? address.port : 0)
  await expect(client.call()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  plain.close()
})
