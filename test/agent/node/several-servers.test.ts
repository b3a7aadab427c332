/** One connection and several servers: which one it leads to, and when it leaves one for another. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { callUnary } from '../../../agent/node/call.ts'
import { connectServer } from '../../../agent/node/server-connection.ts'
import { isUnknownServer } from '../../../agent/node/server-credentials.ts'
import type { HostPort, LookUp } from '../../../agent/node/server-directory.ts'
import type { Bundle as WireBundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { TEST_NOW, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeServer } from '../../fakes/fake-server.ts'
import { serveTls } from '../../fakes/tls-server.ts'

const ca = await testCa()
const partner = await testCa({ trustDomain: 'partner.org' })
const impostorCa = await testCa()
const { trustDomain } = ca
const serverOf = () => FakeServer.start(new FakeClock(TEST_NOW), { ca })

interface Options {
  readonly lookUp?: LookUp
  readonly random?: () => number
}

function connect([first, ...others]: readonly (number | HostPort)[], options: Options = {}) {
  const clock = new FakeClock(TEST_NOW)
  const at = (one: number | HostPort | undefined): HostPort =>
    typeof one === 'object' ? one : { host: '127.0.0.1', port: one ?? 0 }
  const connection = connectServer({
    ...{ ...at(first), others: others.map(at), trustDomain, clock, ...options },
    trust: { kind: 'bundle', bundle: () => ca.bundle },
  })
  const call = async () => {
    const lease = connection.lease()
    try {
      const limits = { clock, signal: new AbortController().signal }
      return await callUnary<WireBundle>((done) => lease.bundle.GetBundle({}, done), limits)
    } catch (error) {
      const explained = connection.explain(error)
      connection.leave(lease, error)
      throw explained
    }
  }
  return { connection, call, clock, [Symbol.dispose]: () => connection[Symbol.dispose]() }
}

/** Takes connections and never says a word, as a stopped process does. */
async function serveNobody(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // cast: it listens on TCP
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('a dead server is passed over within the same call', async () => {
  await using dead = await serverOf()
  await dead.stop()
  await using server = await serverOf()
  using client = connect([dead.port, server.port])
  expect((await client.call()).trust_domain).toBe('example.org')
})

test('a server that takes the connection and says nothing is passed over within the same call', async () => {
  await using silent = await serveNobody()
  await using server = await serverOf()
  using client = connect([silent.port, server.port])
  expect((await client.call()).trust_domain).toBe('example.org')
})

test.for<[string, () => Promise<TestLeaf>]>([
  ['is of another trust domain', () => partner.leaf('/spire/server')],
  ['only claims to be ours', () => impostorCa.leaf('/spire/server')],
  ['is a workload', () => ca.leaf('/workload')],
])('one of several that %s gets no byte and is passed over', async ([, leaf]) => {
  await using other = await serveTls(await leaf())
  await using server = await serverOf()
  using client = connect([other.port, server.port])
  expect((await client.call()).trust_domain).toBe('example.org')
  expect(other.received).toEqual([])
})

test('when none is to be trusted, the refusal names the address, and is known for what it is', async () => {
  await using one = await serveTls(await impostorCa.leaf('/spire/server'))
  await using two = await serveTls(await impostorCa.leaf('/spire/server'))
  using client = connect([one.port, two.port])
  const error = await client.call().catch((failure: unknown) => failure)
  expect(error).toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
  expect(String(error)).toMatch(new RegExp(`\\(at 127\\.0\\.0\\.1:(${one.port}|${two.port})\\)$`))
  expect(isUnknownServer(error)).toBe(true)
  expect([one.received, two.received]).toEqual([[], []])
})

test('when none is there, all are named', async () => {
  await using one = await serverOf()
  await using two = await serverOf()
  await Promise.all([one.stop(), two.stop()])
  using client = connect([one.port, two.port])
  await expect(client.call()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      `^no server of 127\\.0\\.0\\.1:${one.port}, 127\\.0\\.0\\.1:${two.port} can be reached: connect ECONNREFUSED `,
    ),
  })
})

test('all calls go to one server, also when there are others', async () => {
  await using one = await serverOf()
  await using two = await serverOf()
  using client = connect([one.port, two.port])
  for (let n = 0; n < 5; n++) await client.call()
  expect([one.calls.length, two.calls.length]).toEqual([5, 0])
})

test('a server that dies is left for another one at the next call', async () => {
  await using one = await serverOf()
  await using two = await serverOf()
  using client = connect([one.port, two.port])
  await client.call()
  await one.stop()
  await expect.poll(() => client.call().catch(() => undefined)).toBeDefined()
  expect(two.calls.length).toBeGreaterThan(0)
})

test('a server that says that it cannot answer is told with its address, left, and not come back to at once', async () => {
  await using one = await serverOf()
  await using two = await serverOf()
  one.gate = () => {
    throw new IdentityError('UNAVAILABLE', 'the CA is not ready')
  }
  using client = connect([one.port, two.port])
  await expect(client.call()).rejects.toMatchObject({
    message: `the server at 127.0.0.1:${one.port} gave no answer: the CA is not ready`,
  })
  await client.call()
  client.connection.renew(client.connection.lease())
  await client.call()
  expect([one.calls.length, two.calls.length]).toEqual([1, 2])
})

test('a connection that is made anew goes to a server that was neither left nor had the one before', async () => {
  await using one = await serverOf()
  await using two = await serverOf()
  using client = connect([one.port, two.port])
  for (let n = 0; n < 4; n++) {
    await client.call()
    client.connection.renew(client.connection.lease())
  }
  expect([one.calls.length, two.calls.length]).toEqual([2, 2])
})

test.for(['NOT_AUTHORIZED', 'INTERNAL', 'RATE_LIMITED', 'NOT_FOUND'] as const)(
  'a server that answers %s is there, and not left',
  async (code) => {
    await using one = await serverOf()
    await using two = await serverOf()
    one.gate = () => {
      throw new IdentityError(code, 'no')
    }
    using client = connect([one.port, two.port])
    for (let n = 0; n < 2; n++) await expect(client.call()).rejects.toMatchObject({ code })
    expect(two.calls).toEqual([])
  },
)

test('an only server that says that it cannot answer is asked again over the same connection', async () => {
  await using server = await serverOf()
  server.gate = () => {
    throw new IdentityError('UNAVAILABLE', 'in a moment')
  }
  using client = connect([server.port])
  for (let n = 0; n < 3; n++) await expect(client.call()).rejects.toThrow('in a moment')
  expect(server.peers).toHaveLength(1)
})

test('the failure of a lease that has been replaced does not drive the next one away', async () => {
  await using one = await serverOf()
  await using two = await serverOf()
  using client = connect([one.port, two.port])
  await client.call()
  const { connection } = client
  const old = connection.lease()
  connection.renew(old)
  const current = connection.lease()
  expect(connection.leave(old, new IdentityError('UNAVAILABLE', 'late'))).toBe(true)
  expect(connection.lease()).toBe(current)
})

test('a name with several records is several servers, and a dead one of them is passed over', async () => {
  await using server = await serverOf()
  const { port } = server
  using client = connect([{ host: 'servers.example', port }], {
    lookUp: async () => ['127.0.0.9', '::1', '127.0.0.1'],
  })
  expect((await client.call()).trust_domain).toBe('example.org')
  expect(client.connection.hasOthers()).toBe(true)
})

test('agents spread over the servers by their own chance', async () => {
  await using one = await serverOf()
  await using two = await serverOf()
  for (const roll of [0, 0.4, 0.6, 0.99]) {
    using client = connect([one.port, two.port], { random: () => roll })
    await client.call()
  }
  expect([one.calls.length, two.calls.length]).toEqual([2, 2])
})
