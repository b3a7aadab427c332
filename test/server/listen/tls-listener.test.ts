import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { credentials, Server, type ServerOptions, status } from '@grpc/grpc-js'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { BundleHandlers } from '../../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { Bundle as WireBundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { bundleApi } from '../../../proto/load.ts'
import { addService } from '../../../proto/serve.ts'
import { admitCall } from '../../../server/listen/admit-call.ts'
import type { Caller } from '../../../server/listen/caller.ts'
import { listenTls, type TlsListener } from '../../../server/listen/tls-listener.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId, parseTrustDomain, type TrustDomain } from '../../../spiffe/id.ts'
import { toPkcs8 } from '../../../spiffe/key.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { TEST_NOW, type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { call } from '../running-server.ts'

const OPERATOR = parseSpiffeId('spiffe://partner.org/operator')

let ours: TestCa
let partner: TestCa
let unknown: TestCa
let serverLeaf: TestLeaf
beforeAll(async () => {
  ours = await testCa()
  partner = await testCa({ trustDomain: 'partner.org' })
  unknown = await testCa({ trustDomain: 'unknown.org' })
  serverLeaf = await ours.leaf('/spire/server')
})

let server: Server
let listener: TlsListener
let log: ReturnType<typeof memoryLog>
let bundles: Map<TrustDomain, Bundle>
let seen: Caller[]
let clock: FakeClock
let presented: TestLeaf
let announceRotation: () => void
const closing: (() => void)[] = []

beforeEach(() => open())
afterEach(close)

async function open(options: ServerOptions = {}, handshakeTimeoutMs?: number) {
  server = new Server(options)
  log = memoryLog()
  seen = []
  presented = serverLeaf
  bundles = new Map([ours, partner].map(({ trustDomain, bundle }) => [trustDomain, bundle]))
  clock = new FakeClock(TEST_NOW)
  listener = await listenTls({
    bindAddress: '127.0.0.1',
    bindPort: 0,
    server,
    serverSvid: {
      current: () => presented,
      onChange: (heard) => {
        announceRotation = heard
        return () => {}
      },
    },
    trustDomain: ours.trustDomain,
    adminIds: new Set([OPERATOR]),
    bundleOf: async (trustDomain) => bundles.get(trustDomain),
    clock,
    log: log.log,
    handshakeTimeoutMs,
    drain: async () => server.forceShutdown(),
  })
  addService<Caller, BundleHandlers>(
    {
      server,
      callerOf: listener.callerOf,
      authorize: (one) =>
        admitCall(one, {
          standing: {
            isConfiguredAdmin: () => false,
            isAdmin: () => false,
            isDownstream: () => false,
          },
          nodes: {
            find: async () => undefined,
            promote: async () => ({ kind: 'not-found' }),
            renew: async () => ({ kind: 'not-found' }),
          },
          clock,
        }),
      onFailure: () => {},
    },
    bundleApi().service,
    {
      GetBundle: async (_, { caller }) => {
        seen.push(caller)
        return { trust_domain: caller.kind }
      },
    },
  )
}

async function close() {
  for (const end of closing.splice(0)) end()
  await listener[Symbol.asyncDispose]()
}

const pem = (leaf: TestLeaf) => ({
  cert: toPemChain(leaf.chain),
  key: toPem('PRIVATE KEY', toPkcs8(leaf.key)),
})

/** Calls over a connection of its own. @returns what kind of caller the server took it for */
async function ask(leaf?: TestLeaf): Promise<string> {
  const own = leaf === undefined ? undefined : pem(leaf)
  const client = new (bundleApi())(
    `127.0.0.1:${listener.port}`,
    credentials.createSsl(
      null,
      own === undefined ? null : Buffer.from(own.key),
      own === undefined ? null : Buffer.from(own.cert),
      // These tests are about what the server checks.
      { rejectUnauthorized: false, checkServerIdentity: () => undefined },
    ),
    { 'grpc.ssl_target_name_override': 'localhost', 'grpc.use_local_subchannel_pool': 1 },
  )
  closing.push(() => client.close())
  return (await call<WireBundle>((done) => client.GetBundle({}, done))).trust_domain
}

function dial(options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({
    port: listener.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...options,
  })
  socket.on('error', () => {})
  closing.push(() => socket.destroy())
  return socket
}

const refusals = () => log.lines.filter(({ msg }) => msg === 'Refused a TLS connection')

test('a client without a certificate is anonymous', async () => {
  expect(await ask()).toBe('anonymous')
  expect(seen[0]).toMatchObject({ kind: 'anonymous', ip: '127.0.0.1' })
})

test('a client with an SVID of ours is known by its ID, serial number and expiry', async () => {
  const leaf = await ours.leaf('/shop/cart')
  expect(await ask(leaf)).toBe('peer')
  expect(seen[0]).toMatchObject({
    kind: 'peer',
    svid: {
      id: 'spiffe://example.org/shop/cart',
      serialNumber: BigInt(`0x${new X509Certificate(leaf.certificate).serialNumber}`).toString(),
      expiresAt: new Date('2026-01-02T00:00:00Z'),
    },
  })
})

test('a chain through an intermediate that the client sent is verified', async () => {
  const intermediate = await ours.intermediate()
  expect(await ask(await intermediate.leaf('/nested'))).toBe('peer')
})

test('the CA of another trust domain cannot make an agent of ours, though we know its bundle and one of its IDs is an admin', async () => {
  const impersonator = await partner.leaf('', {
    uriSans: ['spiffe://example.org/spire/agent/join_token/victim'],
  })
  await expect(ask(impersonator)).rejects.toMatchObject({ code: status.UNAVAILABLE })
  expect(seen).toEqual([])
  expect(refusals()[0]?.reason).toMatch(/could not verify/)
})

test('our own CA cannot make an admin of another trust domain', async () => {
  const impersonator = await ours.leaf('', { uriSans: [OPERATOR] })
  await expect(ask(impersonator)).rejects.toMatchObject({ code: status.UNAVAILABLE })
  expect(seen).toEqual([])
})

test('of another trust domain only the IDs in admin_ids are let in', async () => {
  expect(await ask(await partner.leaf('/operator'))).toBe('peer')
  await expect(ask(await partner.leaf('/somebody'))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  })
  expect(refusals()[0]?.reason).toMatch(
    /unexpected trust domain in ID "spiffe:\/\/partner.org\/somebody"/,
  )
})

test('an admin of a trust domain whose bundle is missing is refused', async () => {
  bundles.delete(parseTrustDomain('partner.org'))
  await expect(ask(await partner.leaf('/operator'))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  })
  expect(refusals()[0]?.reason).toMatch(/no bundle found for trust domain "partner.org"/)
})

const HOUR_MS = 3_600_000
test.for<readonly [string, () => Promise<TestLeaf>]>([
  ['one of an authority that is in no bundle', async () => (await testCa()).leaf('/w')],
  ['one of an unknown trust domain', () => unknown.leaf('/w')],
  ['an expired one', () => ours.leaf('/w', { notAfter: new Date(TEST_NOW.getTime() - HOUR_MS) })],
  ['one of tomorrow', () => ours.leaf('/w', { notBefore: new Date(TEST_NOW.getTime() + HOUR_MS) })],
  ['a CA certificate', () => ours.intermediate({ uriSans: ['spiffe://example.org/w'] })],
])(
  'a client whose certificate cannot be believed is cut off, it does not become anonymous: %s',
  async ([, make]) => {
    await expect(ask(await make())).rejects.toMatchObject({ code: status.UNAVAILABLE })
    expect(seen).toEqual([])
    expect(refusals().length).toBeGreaterThan(0)
  },
)

test.for([
  [[], 'client certificate has no URI SAN'],
  [
    ['spiffe://example.org/a', 'spiffe://example.org/b'],
    'client certificate has more than one URI SAN',
  ],
  [['https://example.org/a'], /^client certificate has a malformed URI SAN: /],
  [['spiffe://example.org/a?x=1'], /^client certificate has a malformed URI SAN: /],
] as const)(
  'a certificate that names nobody gets no call through, and its owner is told why: %j',
  async ([uriSans, details]) => {
    const leaf = await ours.leaf('', { uriSans })
    await expect(ask(leaf)).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: typeof details === 'string' ? details : expect.stringMatching(details),
    })
    expect(seen).toEqual([])
  },
)

test.for(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s sessions are never resumed, so no verdict outlives its connection',
  async (version) => {
    const options = { ...pem(await ours.leaf('/w')), minVersion: version, maxVersion: version }
    const first = dial(options)
    let session: Buffer | undefined
    first.on('session', (given) => {
      session = given
    })
    await once(first, 'data') // the server's first HTTP/2 frames, which come after any session ticket
    session ??= first.getSession()
    first.destroy()
    const second = dial({ ...options, ...(session === undefined ? {} : { session }) })
    await once(second, 'data')
    expect(second.isSessionReused()).toBe(false)
  },
)

test('the first key exchange offered is the hybrid post-quantum one', async () => {
  const socket = dial()
  await once(socket, 'secureConnect')
  expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' })
})

test('a client that does not speak HTTP/2 is cut off', async () => {
  const socket = dial({ ALPNProtocols: [] })
  await once(socket, 'close')
  expect(refusals()[0]?.reason).toMatch(/h2/)
})

test.for([
  ['says nothing', Buffer.alloc(0)],
  ['stops in the middle of its first record', Buffer.of(0x16, 3, 1)],
] as const)('a client that %s is cut off, so that it holds no connection', async ([, sent]) => {
  await close()
  await open({}, 50)
  const socket = connectTcp(listener.port, '127.0.0.1')
  closing.push(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(sent)
  await once(socket, 'close')
})

test('TLS older than 1.2 is refused', async () => {
  const socket = dial({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  const [error] = await once(socket, 'error')
  expect(String(error)).toMatch(/protocol/)
})

test('a rotated server SVID is shown to new connections; old ones go on', async () => {
  const before = dial()
  await once(before, 'secureConnect')
  const shown = (socket: TLSSocket) => socket.getPeerX509Certificate()?.serialNumber
  presented = await ours.leaf('/spire/server')
  announceRotation()
  const after = dial()
  await once(after, 'secureConnect')
  expect(shown(after)).not.toBe(shown(before))
  expect(after.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' })
  expect(await ask(await ours.leaf('/w'))).toBe('peer') // certificates are still asked for
  expect(before.destroyed).toBe(false)
})

test('the age limit of connections holds for these connections too', async () => {
  await close()
  await open({ 'grpc.max_connection_age_ms': 50 })
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, {
    createConnection: () => dial(),
  })
  session.on('error', () => {})
  const [code] = await once(session, 'goaway')
  expect(code).toBe(0) // NO_ERROR: calls in flight may finish
})

test('a peer is verified again against the bundle of that moment', async () => {
  await ask(await ours.leaf('/w'))
  const [caller] = seen
  if (caller?.kind !== 'peer') throw new Error('expected a peer')
  await caller.verifyAgain()
  bundles.set(ours.trustDomain, { ...ours.bundle, x509Authorities: [] })
  await expect(caller.verifyAgain()).rejects.toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
})

test('a peer is not believed longer than its SVID lasts, though the bundle is the same', async () => {
  await ask(await ours.leaf('/w'))
  const [caller] = seen
  if (caller?.kind !== 'peer') throw new Error('expected a peer')
  await caller.verifyAgain()
  await clock.advance(caller.svid.expiresAt.getTime() + 1 - clock.now().getTime())
  await expect(caller.verifyAgain()).rejects.toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
})

test('nobody is behind a peer key that was guessed, and none behind one whose connection has closed', () => {
  for (const guess of ['', '127.0.0.1', 'tls:00000000-0000-0000-0000-000000000000']) {
    expect(() => listener.callerOf(guess)).toThrow(
      expect.objectContaining({ code: 'CALLER_UNIDENTIFIED' }),
    )
  }
})

test('a port that is taken is named, with what to do', async () => {
  await expect(
    listenTls({
      bindAddress: '127.0.0.1',
      bindPort: listener.port,
      server: new Server(),
      serverSvid: { current: () => presented, onChange: () => () => {} },
      trustDomain: ours.trustDomain,
      adminIds: new Set(),
      bundleOf: async () => undefined,
      clock: new FakeClock(),
      log: log.log,
      drain: async () => {},
    }),
  ).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`127.0.0.1:${listener.port}`),
  })
})
