import { once } from 'node:events'
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Socket,
} from 'node:net'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import {
  type Authorize,
  authorizeAny,
  authorizeId,
  authorizeMemberOf,
} from '../../../workload/tls/authorize.ts'
import { connectMtls } from '../../../workload/tls/connect-mtls.ts'
import { judgeSocket } from '../../../workload/tls/judge-peer.ts'
import { createMtlsServer, type MtlsServerOptions } from '../../../workload/tls/mtls-server.ts'
import { peerIdOf } from '../../../workload/tls/peer-id.ts'
import { tlsClientOptions } from '../../../workload/tls/tls-client-options.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf, VALID_NOW } from '../../fakes/svids.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const both = [example.bundle, partner.bundle]

const web = await identityOf(example, '/web')
const db = await identityOf(example, '/db')
const api = await identityOf(partner, '/api')

/** What a program without types might pass. */
const promised = (async () => true) as unknown as Authorize

const sourceOf = (identity: typeof web, bundles: readonly Bundle[] = both) =>
  new FakeTlsIdentity(contextOf(identity, bundles))

/** An echo server; `seen` lists whom the application behind it was shown. */
async function serve(
  source: FakeTlsIdentity,
  authorize: Authorize,
  options: MtlsServerOptions = {},
) {
  const seen: string[] = []
  const refused: string[] = []
  const server = createMtlsServer(
    source,
    authorize,
    (socket, peer) => {
      seen.push(peer)
      socket.pipe(socket)
    },
    { onRefused: (error) => refused.push(error.message), ...options },
  )
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    port,
    seen,
    refused,
    accept: server.accept,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const to = (port: number) => ({ host: '127.0.0.1', port })

/** Sends a line and resolves with what comes back; an empty text when the connection is closed instead. */
async function echo(socket: TLSSocket, text = 'hello'): Promise<string> {
  socket.on('error', () => {})
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.once('data', (chunk) => resolve(chunk.toString()))
  socket.once('close', () => resolve(''))
  socket.write(text)
  return await promise
}

test('two workloads talk, and each knows who the other is', async () => {
  await using server = await serve(sourceOf(db), authorizeId('spiffe://example.org/web'))
  const socket = await connectMtls(
    sourceOf(web),
    authorizeId('spiffe://example.org/db'),
    to(server.port),
  )
  expect(peerIdOf(socket)).toBe('spiffe://example.org/db')
  expect(await echo(socket)).toBe('hello')
  expect(server.seen).toEqual(['spiffe://example.org/web'])
  expect(socket.getProtocol()).toBe('TLSv1.3')
  socket.destroy()
})

test('workloads of federated trust domains talk when they are authorized', async () => {
  await using server = await serve(sourceOf(db), authorizeMemberOf('partner.org'))
  const socket = await connectMtls(sourceOf(api), authorizeMemberOf('example.org'), to(server.port))
  expect(await echo(socket)).toBe('hello')
  expect(server.seen).toEqual(['spiffe://partner.org/api'])
  socket.destroy()
})

/** A certificate of partner.org's CA that says it is somebody of example.org. */
const impostor = (path: string) =>
  identityOf(partner, path, {
    id: web.id,
    fields: { uriSans: [`spiffe://example.org${path}`] },
  })

test('refuses a client whose CA belongs to another trust domain than its ID', async () => {
  await using server = await serve(sourceOf(db), authorizeAny())
  const socket = await connectMtls(
    sourceOf(await impostor('/web')),
    authorizeAny(),
    to(server.port),
  )
  expect(await echo(socket)).toBe('')
  expect(server.seen).toEqual([])
  expect(server.refused).toHaveLength(1)
})

test('refuses a server whose CA belongs to another trust domain than its ID', async () => {
  await using server = await serve(sourceOf(await impostor('/db')), authorizeAny())
  await expect(connectMtls(sourceOf(web), authorizeAny(), to(server.port))).rejects.toMatchObject({
    code: 'CERTIFICATE_UNTRUSTED',
  })
})

test.for([
  ['is not authorized', () => sourceOf(web), authorizeId('spiffe://example.org/other')],
  ['is of a trust domain without a bundle', () => sourceOf(api), authorizeAny(), [example.bundle]],
  [
    'is of a trust domain whose bundle is empty',
    () => sourceOf(api),
    authorizeAny(),
    [example.bundle, emptyBundle(parseTrustDomain('partner.org'))],
  ],
  ['is authorized by a promise only', () => sourceOf(web), promised],
  [
    'makes the authorization throw',
    () => sourceOf(web),
    () => {
      throw new Error('policy is away')
    },
  ],
] as const)(
  'refuses a client that %s, and shows it to nobody',
  async ([, client, authorize, bundles]) => {
    await using server = await serve(sourceOf(db, bundles), authorize)
    const socket = await connectMtls(client(), authorizeAny(), to(server.port))
    expect(await echo(socket)).toBe('')
    expect(server.seen).toEqual([])
    expect(server.refused).toHaveLength(1)
  },
)

test('refuses a client without a certificate', async () => {
  await using server = await serve(sourceOf(db), authorizeAny())
  const socket = connectTls({ ...to(server.port), rejectUnauthorized: false })
  expect(await echo(socket)).toBe('')
  expect(server.seen).toEqual([])
})

test('refuses a client whose SVID has expired', async () => {
  const expired = await identityOf(example, '/web', {
    fields: { notBefore: new Date(0), notAfter: new Date(1000) },
  })
  await using server = await serve(sourceOf(db), authorizeAny())
  const { cert, key } = pemOf(expired)
  const socket = connectTls({ ...to(server.port), cert, key, rejectUnauthorized: false })
  expect(await echo(socket)).toBe('')
  expect(server.seen).toEqual([])
})

const pemOf = ({ chain, key }: typeof web) => ({
  cert: toPemChain(chain),
  key: toPem('PRIVATE KEY', key),
})

test('neither end uses an SVID of its own that has expired', async () => {
  const at = new Date(VALID_NOW.notAfter.getTime() + 1)
  const clock = { ...systemClock, now: () => at }
  const late = { code: 'UNAVAILABLE', message: expect.stringContaining('expired at') }
  await using server = await serve(sourceOf(db), authorizeAny())
  await expect(
    connectMtls(sourceOf(web), authorizeAny(), { ...to(server.port), clock }),
  ).rejects.toMatchObject(late)
  expect(() => createMtlsServer(sourceOf(db), authorizeAny(), () => {}, { clock })).toThrow(
    expect.objectContaining(late),
  )
})

test('refuses a server that is somebody else', async () => {
  await using server = await serve(sourceOf(db), authorizeAny())
  await expect(
    connectMtls(sourceOf(web), authorizeId('spiffe://example.org/cache'), to(server.port)),
  ).rejects.toMatchObject({
    code: 'NOT_AUTHORIZED',
    message: 'the peer spiffe://example.org/db is verified, but not authorized here',
  })
})

test('a resumed session is refused by a server, and by a client', async () => {
  // A server that hands out session tickets, as ours never does.
  const issuer = createTlsServer({ ...pemOf(db), requestCert: true, rejectUnauthorized: false })
  issuer.listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  const { port } = issuer.address() as AddressInfo
  const first = connectTls({ ...to(port), rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
  const [session] = await once(first, 'session')
  const again = connectTls({
    ...to(port),
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
    session,
  })
  await once(again, 'secureConnect')
  expect(again.isSessionReused()).toBe(true)
  const judge = { authorize: authorizeAny(), clock: systemClock, peer: 'server' } as const
  expect(() => judgeSocket(again, sourceOf(web).current(), judge)).toThrow(/resumed/)
  first.destroy()
  again.destroy()
  issuer.close()
})

test('our server resumes no session, so that no old verdict comes back', async () => {
  await using server = await serve(sourceOf(db), authorizeAny())
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { ...to(server.port), ...pemOf(web), rejectUnauthorized: false, maxVersion }
    const first = connectTls(options)
    let session: Buffer | undefined
    first.on('session', (data) => {
      session = data
    })
    expect(await echo(first)).toBe('hello')
    const again = connectTls({ ...options, session: session ?? first.getSession() })
    expect(await echo(again)).toBe('hello')
    expect(again.isSessionReused()).toBe(false)
    first.destroy()
    again.destroy()
  }
})

test('a rotation applies to new connections and leaves open ones alone', async () => {
  const source = sourceOf(db)
  const client = sourceOf(web)
  await using server = await serve(source, authorizeAny())
  const before = await connectMtls(client, authorizeAny(), to(server.port))
  expect(await echo(before, 'one')).toBe('one')
  const next = await identityOf(example, '/db')
  source.set(contextOf(next, both))
  client.set(contextOf(await identityOf(example, '/web'), both))
  const after = await connectMtls(client, authorizeAny(), to(server.port))
  expect(after.getPeerCertificate().raw.equals(next.chain[0] ?? Buffer.of())).toBe(true)
  expect(before.getPeerCertificate().raw.equals(db.chain[0] ?? Buffer.of())).toBe(true)
  expect(await echo(before, 'two')).toBe('two')
  expect(await echo(after, 'three')).toBe('three')
  before.destroy()
  after.destroy()
})

test('a new authority is believed at once, a removed one no longer', async () => {
  const nextCa = await currentCa('example.org')
  const source = sourceOf(db, [example.bundle])
  await using server = await serve(source, authorizeAny())
  const client = new FakeTlsIdentity(contextOf(await identityOf(nextCa, '/web'), [example.bundle]))
  const refused = await connectMtls(client, authorizeAny(), to(server.port))
  expect(await echo(refused)).toBe('')
  source.set(contextOf(db, [nextCa.bundle]))
  const welcome = await connectMtls(client, authorizeAny(), to(server.port))
  expect(await echo(welcome)).toBe('hello')
  welcome.destroy()
  const old = await connectMtls(sourceOf(web), authorizeAny(), to(server.port))
  expect(await echo(old)).toBe('')
})

test('without an identity nothing is connected and nothing is accepted', async () => {
  const source = sourceOf(db)
  const client = sourceOf(web)
  await using server = await serve(source, authorizeAny())
  const gone = new IdentityError('NO_IDENTITY_ISSUED', 'no identity issued')
  client.set(gone)
  await expect(connectMtls(client, authorizeAny(), to(server.port))).rejects.toBe(gone)
  source.set(gone)
  await expect(connectMtls(sourceOf(web), authorizeAny(), to(server.port))).rejects.toThrow()
  expect(server.seen).toEqual([])
  source.set(contextOf(db, both))
  const socket = await connectMtls(sourceOf(web), authorizeAny(), to(server.port))
  expect(await echo(socket)).toBe('hello')
  socket.destroy()
})

test('a client that goes in the middle of its handshake is let go of, also when it was accepted elsewhere', async () => {
  await using server = await serve(sourceOf(db), authorizeAny(), { handshakeTimeoutMs: 50 })
  await using elsewhere = createTcpServer({ allowHalfOpen: true })
  elsewhere.listen({ port: 0, host: '127.0.0.1' })
  await once(elsewhere, 'listening')
  const client = connectTcp(to((elsewhere.address() as AddressInfo).port))
  client.on('error', () => {})
  const [accepted]: Socket[] = await once(elsewhere, 'connection')
  client.end(Buffer.of(0x16, 3, 1))
  const [begun] = await once(accepted as Socket, 'data')
  accepted?.pause()
  accepted?.unshift(begun)
  server.accept(accepted as Socket)
  await once(accepted as Socket, 'close')
  expect(server.refused).toEqual([expect.stringContaining('the TLS handshake failed')])
  expect(server.seen).toEqual([])
  client.destroy()
})

test('refuses TLS below 1.2', async () => {
  await using server = await serve(sourceOf(db), authorizeAny())
  const socket = connectTls({
    ...to(server.port),
    ...pemOf(web),
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  await expect(once(socket, 'secureConnect')).rejects.toThrow()
  expect(server.seen).toEqual([])
})

test('agrees on the hybrid post-quantum group', async () => {
  await using server = await serve(sourceOf(db), authorizeAny())
  const only = connectTls({
    ...to(server.port),
    ...pemOf(web),
    rejectUnauthorized: false,
    ecdhCurve: 'X25519MLKEM768',
  })
  expect(await echo(only)).toBe('hello')
  only.destroy()
})

test('who asks for a post-quantum key exchange gets one, or no connection', async () => {
  const any = authorizeMemberOf('example.org')
  await using ours = await serve(sourceOf(db), any)
  const wanted = { requirePqKem: true }
  const socket = await connectMtls(sourceOf(web), any, { ...to(ours.port), ...wanted })
  expect(socket.getProtocol()).toBe('TLSv1.3')
  expect(await echo(socket)).toBe('hello')
  socket.destroy()
  const classical = createTlsServer({
    cert: toPemChain(db.chain),
    key: toPem('PRIVATE KEY', db.key),
    ecdhCurve: 'X25519:P-256',
  })
  classical.on('tlsClientError', () => {})
  await once(classical.listen(0, '127.0.0.1'), 'listening')
  const { port } = classical.address() as AddressInfo // cast: it listens on TCP
  const plain = await connectMtls(sourceOf(web), any, to(port))
  plain.destroy()
  const refused = connectMtls(sourceOf(web), any, { ...to(port), ...wanted })
  await expect(refused).rejects.toThrow(/handshake failure/)
  classical.close()
})

test('options for other libraries refuse the same peers, and rotate', async () => {
  const client = sourceOf(web)
  const options = tlsClientOptions(client, authorizeMemberOf('example.org'))
  await using server = await serve(sourceOf(db), authorizeAny())
  const socket = connectTls({ ...to(server.port), ...options })
  expect(await echo(socket)).toBe('hello')
  socket.destroy()
  client.set(contextOf(await identityOf(example, '/next'), both))
  const rotated = connectTls({ ...to(server.port), ...options })
  expect(await echo(rotated)).toBe('hello')
  rotated.destroy()
  expect(server.seen).toEqual(['spiffe://example.org/web', 'spiffe://example.org/next'])
})

test.for([
  ['an impostor', async () => sourceOf(await impostor('/db')), authorizeAny()],
  ['a stranger', async () => sourceOf(db), authorizeId('spiffe://example.org/cache')],
  [
    'a CA that nobody knows',
    async () => sourceOf(await identityOf(await currentCa('example.org'), '/db')),
    authorizeAny(),
  ],
] as const)('options for other libraries refuse %s', async ([, makeServer, authorize]) => {
  await using server = await serve(await makeServer(), authorizeAny())
  const options = tlsClientOptions(sourceOf(web), authorize)
  const socket = connectTls({ ...to(server.port), ...options })
  await expect(once(socket, 'secureConnect')).rejects.toBeInstanceOf(Error)
  expect(socket.destroyed).toBe(true)
})

test('a connection that was not verified here has no peer ID', async () => {
  await using server = await serve(sourceOf(db), authorizeAny())
  const options = { ...to(server.port), ...pemOf(web), rejectUnauthorized: false }
  const socket = connectTls(options)
  await echo(socket)
  expect(() => peerIdOf(socket)).toThrow(expect.objectContaining({ code: 'CALLER_UNIDENTIFIED' }))
  expect(() => peerIdOf({ getPeer: () => '127.0.0.1:1' })).toThrow(/no verified peer/)
  expect(() => peerIdOf({ socket: undefined })).toThrow(/no verified peer/)
  socket.destroy()
})
