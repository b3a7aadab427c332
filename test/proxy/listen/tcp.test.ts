import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { parsePeerPattern } from '../../../proxy/config/peer-pattern.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { authorizeAny } from '../../../workload/tls/authorize.ts'
import { connectMtls } from '../../../workload/tls/connect-mtls.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf, VALID_NOW } from '../../fakes/svids.ts'
import {
  everything,
  FakeEnforcement,
  inboundConfig,
  openTestContext,
  startBackend,
  startInbound,
  startOutbound,
} from '../running-proxy.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const both = [example.bundle, partner.bundle]
const web = await identityOf(example, '/web')
const db = await identityOf(example, '/db')
const api = await identityOf(partner, '/api')
const sourceOf = (identity: typeof web, bundles = both) =>
  new FakeTlsIdentity(contextOf(identity, bundles))

const echo = (socket: Socket) => void socket.pipe(socket)
const plain = (port: number) => connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })

/** Sends a line and resolves with what comes back; an empty text when the connection ends instead. */
async function ask(socket: Socket, text = 'hello'): Promise<string> {
  socket.on('error', () => {})
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.once('data', (chunk) => resolve(chunk.toString()))
  socket.once('close', () => resolve(''))
  socket.once('end', () => resolve(''))
  socket.write(text)
  return await promise
}

/** An inbound proxy of `/db` in front of an echo server. */
async function startDb(
  change: Parameters<typeof inboundConfig>[1] = {},
  federated?: string[],
  context: Parameters<typeof openTestContext>[1] = {},
) {
  const backend = await startBackend(echo)
  const identity = sourceOf(db)
  const test = openTestContext(identity, context)
  const enforcement = new FakeEnforcement()
  const config = inboundConfig(backend.port, change)
  const inbound = await startInbound(test.context, enforcement, config, federated)
  return {
    ...test,
    backend,
    identity,
    enforcement,
    port: inbound.port,
    async [Symbol.asyncDispose]() {
      await inbound[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
      test[Symbol.dispose]()
    },
  }
}

const asClient = (port: number, identity = web, alpn: readonly string[] = ['istio']) =>
  connectMtls(sourceOf(identity), authorizeAny(), { host: '127.0.0.1', port, alpn })

test('two workloads talk through both proxies, and each side knows who the other is', async () => {
  await using proxy = await startDb()
  using clients = openTestContext(sourceOf(web))
  await using outbound = await startOutbound(clients.context, proxy.port, 'spiffe://example.org/db')
  const socket = plain(outbound.port)
  expect(await ask(socket)).toBe('hello')
  expect([...proxy.context.connections.list()]).toMatchObject([
    { direction: 'inbound', protocol: 'tcp', peer: { id: 'spiffe://example.org/web' } },
  ])
  socket.end()
  await once(socket, 'close')
  await expect
    .poll(() => proxy.access)
    .toMatchObject([
      {
        source_identity: 'spiffe://example.org/web',
        verdict: 'allow',
        mutual_tls: true,
        bytes_received: 5,
        bytes_sent: 5,
        response_flags: '-',
      },
    ])
  await expect.poll(() => clients.access).toMatchObject([{ bytes_received: 5, bytes_sent: 5 }])
  await expect.poll(() => proxy.context.connections.size).toBe(0)
})

test('each way of a connection ends by itself, through both proxies', async () => {
  const backend = await startBackend((socket) => {
    void everything(socket).then((all) => socket.end(`you said ${all}`))
  })
  const enforcement = new FakeEnforcement()
  using servers = openTestContext(sourceOf(db))
  using clients = openTestContext(sourceOf(web))
  await using inbound = await startInbound(
    servers.context,
    enforcement,
    inboundConfig(backend.port),
  )
  await using outbound = await startOutbound(
    clients.context,
    inbound.port,
    'spiffe://example.org/db',
  )
  const socket = plain(outbound.port)
  socket.end('all of it')
  expect(await everything(socket)).toBe('you said all of it')
  await backend[Symbol.asyncDispose]()
})

test('megabytes go through with a slow reader, and nothing is lost', async () => {
  await using proxy = await startDb()
  const socket = await asClient(proxy.port)
  const sent = Buffer.alloc(8 * 1024 * 1024, 'steeple ')
  let received = 0
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      received += chunk.length
      socket.pause()
      setImmediate(() => socket.resume())
      if (received === sent.length) resolve()
    })
  })
  socket.write(sent)
  await done
  socket.destroy()
})

test('a caller that policy denies never reaches the workload, and the log says which rule', async () => {
  await using proxy = await startDb()
  proxy.enforcement.allows = ({ peer }) => peer === 'spiffe://example.org/somebody-else'
  const socket = await asClient(proxy.port)
  expect(await ask(socket)).toBe('')
  expect(proxy.backend.seen()).toBe(0)
  await expect
    .poll(() => proxy.access)
    .toMatchObject([
      {
        response_flags: 'DENY',
        verdict: 'deny',
        policy: 'shop/nobody',
        rule: 0,
        reason: 'explicitly denied by: ns[shop]-policy[nobody]-rule[0]',
      },
    ])
  for (const counter of ['closed', 'failed']) {
    expect(proxy.context.metrics.text()).toMatch(
      new RegExp(`istio_tcp_connections_${counter}_total\\{.*response_flags="DENY".*\\} 1`),
    )
  }
})

test('plaintext is refused where the mode is STRICT, the workload sees nothing of it, and it is said which policy wants that', async () => {
  await using proxy = await startDb()
  expect(await ask(plain(proxy.port))).toBe('')
  expect(proxy.backend.seen()).toBe(0)
  const said = {
    reason: 'plaintext where PeerAuthentication is STRICT by shop/strict',
    ...{ code: 'CALLER_UNIDENTIFIED', policy: 'shop/strict', workload_port: proxy.backend.port },
  }
  expect(proxy.lines.find(({ msg }) => msg === 'Connection refused')).toMatchObject(said)
  expect(proxy.access).toMatchObject([{ kind: 'connection', response_flags: 'DENY', ...said }])
  expect(proxy.context.metrics.text()).toMatch(
    /istio_tcp_connections_failed_total\{reporter="destination",source_workload="unknown",.*response_flags="DENY"\} 1/,
  )
})

test('who is refused for plaintext is remembered as such: STRICT has broken that caller', async () => {
  await using proxy = await startDb()
  await ask(plain(proxy.port))
  await ask(plain(proxy.port))
  expect(proxy.context.plaintextCallers.list()).toMatchObject([
    { port: proxy.backend.port, sourceIp: '127.0.0.1', connections: 0, refused: 2 },
  ])
})

test('plaintext passes where the mode is PERMISSIVE, without a peer, and is remembered', async () => {
  await using proxy = await startDb()
  proxy.enforcement.mode = 'PERMISSIVE'
  const peers: unknown[] = []
  proxy.enforcement.allows = ({ peer }) => peers.push(peer) > 0
  const socket = plain(proxy.port)
  expect(await ask(socket)).toBe('hello')
  expect(peers).toEqual([undefined])
  expect(proxy.context.plaintextCallers.list()).toMatchObject([
    { port: proxy.backend.port, sourceIp: '127.0.0.1', connections: 1 },
  ])
  socket.destroy()
})

test('a listener of mutual TLS alone refuses plaintext whatever the policy says', async () => {
  await using proxy = await startDb({ mtls: 'strict' })
  proxy.enforcement.mode = 'PERMISSIVE'
  expect(await ask(plain(proxy.port))).toBe('')
  expect(proxy.backend.seen()).toBe(0)
  // No policy is to be looked for.
  const [line] = proxy.access
  expect(line?.reason).toBe('plaintext where the listener takes mutual TLS alone')
  expect(line?.policy).toBeUndefined()
})

test('a client that waits for the server to speak first counts as plaintext after a while', async () => {
  const backend = await startBackend((socket) => socket.end('220 ready'))
  using context = openTestContext(sourceOf(db))
  const enforcement = new FakeEnforcement()
  enforcement.mode = 'PERMISSIVE'
  await using inbound = await startInbound(
    context.context,
    enforcement,
    inboundConfig(backend.port),
  )
  expect(await everything(plain(inbound.port))).toBe('220 ready')
  await backend[Symbol.asyncDispose]()
})

test('TLS of the application’s own passes a PERMISSIVE port unopened', async () => {
  await using proxy = await startDb()
  proxy.enforcement.mode = 'PERMISSIVE'
  const socket = plain(proxy.port)
  const secured = connectTls({ socket, servername: 'shop.example', rejectUnauthorized: false })
  secured.on('error', () => {})
  // The echo server answers with the very ClientHello, which no client takes for an answer.
  await new Promise((resolve) => void secured.once('close', resolve))
  expect(proxy.backend.seen()).toBe(1)
  await expect.poll(() => proxy.access).toMatchObject([{ mutual_tls: false, sni: 'shop.example' }])
})

test.each([
  ['no certificate', undefined],
  ['a certificate of its own making', 'unknown'],
])('TLS with %s is refused, and the workload sees nothing of it', async (_, kind) => {
  await using proxy = await startDb()
  const stranger = await identityOf(await currentCa('example.org'), '/web')
  const options =
    kind === undefined
      ? {}
      : { cert: pemOf(stranger.chain), key: toPem('PRIVATE KEY', stranger.key) }
  const socket = connectTls({
    ...{ host: '127.0.0.1', port: proxy.port, rejectUnauthorized: false, ...options },
  })
  expect(await ask(socket)).toBe('')
  expect(proxy.backend.seen()).toBe(0)
  await expect.poll(() => proxy.lines.map(({ msg }) => msg)).toContain('Connection refused')
})

const pemOf = (chain: readonly Uint8Array[]) => toPemChain(chain)

test('a federated caller is refused until the operator names its trust domain', async () => {
  await using closed = await startDb()
  expect(await ask(await asClient(closed.port, api))).toBe('')
  expect(closed.backend.seen()).toBe(0)
  await using open = await startDb({}, ['partner.org'])
  const socket = await asClient(open.port, api)
  expect(await ask(socket)).toBe('hello')
  socket.destroy()
})

test('a CA of a federated trust domain cannot make callers of ours', async () => {
  await using proxy = await startDb({}, ['partner.org'])
  const impostor = await identityOf(partner, '/web', {
    id: web.id,
    fields: { uriSans: ['spiffe://example.org/web'] },
  })
  expect(await ask(await asClient(proxy.port, impostor))).toBe('')
  expect(proxy.backend.seen()).toBe(0)
})

test('a listener’s own list narrows down who may connect at all', async () => {
  const authorize = [parsePeerPattern('spiffe://example.org/other')]
  await using proxy = await startDb({ authorize })
  proxy.enforcement.mode = 'PERMISSIVE'
  expect(await ask(await asClient(proxy.port))).toBe('')
  expect(await ask(plain(proxy.port))).toBe('')
  expect(proxy.backend.seen()).toBe(0)
})

test('TLS 1.2 is refused unless the listener takes it', async () => {
  await using proxy = await startDb()
  const old = (port: number) =>
    connectTls({
      ...{ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' },
      ...{ cert: pemOf(web.chain), key: toPem('PRIVATE KEY', web.key) },
    })
  expect(await ask(old(proxy.port))).toBe('')
  await using lenient = await startDb({ minVersion: 'TLSv1.2' })
  const socket = old(lenient.port)
  expect(await ask(socket)).toBe('hello')
  socket.destroy()
})

test('an outbound proxy talks to nobody but whom it expects, and sends no byte to others', async () => {
  await using proxy = await startDb()
  using clients = openTestContext(sourceOf(web))
  await using outbound = await startOutbound(
    clients.context,
    proxy.port,
    'spiffe://example.org/orders',
  )
  expect(await ask(plain(outbound.port))).toBe('')
  expect(proxy.backend.seen()).toBe(0)
  await expect.poll(() => clients.access).toMatchObject([{ response_flags: 'IDENTITY_ERROR' }])
})

test('a destination that is away ends the connection and is told in the log', async () => {
  using clients = openTestContext(sourceOf(web))
  await using gone = await startBackend(echo)
  const { port } = gone
  await gone[Symbol.asyncDispose]()
  await using outbound = await startOutbound(clients.context, port, 'spiffe://example.org/db')
  expect(await ask(plain(outbound.port))).toBe('')
  await expect.poll(() => clients.access).toMatchObject([{ response_flags: 'CONNECT' }])
})

test('a workload that is away ends its callers, and is told in the log', async () => {
  await using proxy = await startDb()
  await proxy.backend[Symbol.asyncDispose]()
  expect(await ask(await asClient(proxy.port))).toBe('')
  await expect.poll(() => proxy.access).toMatchObject([{ response_flags: 'CONNECT' }])
})

test('a change of policy closes those that it denies, and leaves the others alone', async () => {
  await using proxy = await startDb({}, ['partner.org'])
  const denied = await asClient(proxy.port)
  const kept = await asClient(proxy.port, api)
  expect([await ask(denied), await ask(kept)]).toEqual(['hello', 'hello'])
  proxy.enforcement.allows = ({ peer }) => peer === api.id
  expect(proxy.context.connections.rejudge()).toBe(1)
  await once(denied, 'close')
  expect(await ask(kept)).toBe('hello')
  await expect.poll(() => proxy.access).toMatchObject([{ response_flags: 'DENY' }])
  expect(proxy.access[0]?.reason).toMatch(/^policy change: explicitly denied by/)
  kept.destroy()
})

test('plaintext connections are closed when their port becomes STRICT', async () => {
  await using proxy = await startDb()
  proxy.enforcement.mode = 'PERMISSIVE'
  const socket = plain(proxy.port)
  expect(await ask(socket)).toBe('hello')
  proxy.enforcement.mode = 'STRICT'
  expect(proxy.context.connections.rejudge()).toBe(1)
  expect(await everything(socket)).toBe('')
})

test('a renewed SVID serves new connections, and open ones live on', async () => {
  await using proxy = await startDb()
  const before = await asClient(proxy.port)
  expect(await ask(before)).toBe('hello')
  const renewed = await identityOf(example, '/db')
  proxy.identity.set(contextOf(renewed, both))
  expect(
    proxy.context.connections.rejudgePeers(
      proxy.identity.current().bundles,
      new Date(VALID_NOW.notBefore),
    ),
  ).toBe(0)
  const after = await asClient(proxy.port)
  expect(after.getPeerX509Certificate()?.raw).toEqual(Buffer.from(renewed.chain[0] ?? []))
  expect([await ask(before), await ask(after)]).toEqual(['hello', 'hello'])
  before.destroy()
  after.destroy()
})

test('peers whose authority or whole bundle is taken away are closed', async () => {
  await using proxy = await startDb({}, ['partner.org'])
  const ours = await asClient(proxy.port)
  const theirs = await asClient(proxy.port, api)
  expect([await ask(ours), await ask(theirs)]).toEqual(['hello', 'hello'])
  const { connections, clock } = proxy.context
  expect(
    connections.rejudgePeers(new Map([['example.org', example.bundle]] as never), clock.now()),
  ).toBe(1)
  await once(theirs, 'close')
  const replaced = { ...example.bundle, x509Authorities: partner.bundle.x509Authorities }
  expect(connections.rejudgePeers(new Map([['example.org', replaced]] as never), clock.now())).toBe(
    1,
  )
  await once(ours, 'close')
})

test('a peer that has been silent since its handshake is closed when its bundle is taken away', async () => {
  const minute = { detectionTimeoutMs: 60_000 }
  await using proxy = await startDb({ protocol: 'auto' }, ['partner.org'], minute)
  const silent = await asClient(proxy.port, api, ['postgresql'])
  const { connections, clock } = proxy.context
  await expect.poll(() => connections.size).toBe(1)
  const ours = new Map([[parseTrustDomain('example.org'), example.bundle]])
  expect(connections.rejudgePeers(ours, clock.now())).toBe(1)
  await once(silent, 'close')
  await expect.poll(() => connections.size).toBe(0)
  expect(proxy.access).toMatchObject([{ response_flags: 'DENY' }])
  expect(proxy.backend.seen()).toBe(0)
})

test('without an identity every connection is refused', async () => {
  await using proxy = await startDb()
  proxy.identity.set(new Error('withdrawn'))
  await expect(asClient(proxy.port)).rejects.toThrow()
  expect(proxy.backend.seen()).toBe(0)
})
