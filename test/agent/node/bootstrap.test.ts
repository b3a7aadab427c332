import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bootstrapTrust } from '../../../agent/node/bootstrap.ts'
import { workloadApi } from '../../../proto/load.ts'
import { formatBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import { formatBundlePem } from '../../../spiffe/bundle/pem.ts'
import { testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'

const ca = await testCa()
const pem = formatBundlePem(ca.bundle)
const document = formatBundleDocument(ca.bundle)

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-bootstrap-'))
  path = join(dir, 'bundle')
})
afterEach(() => rmSync(dir, { recursive: true }))

function deps(port = 0, clock = new FakeClock()) {
  return {
    trustDomain: ca.trustDomain,
    clock,
    signal: new AbortController().signal,
    attempt: {
      ...({ mode: 'bootstrap', since: new Date('2026-01-01T00:00:00.500Z'), attempts: 2 } as const),
      ...{ serverAddress: '192.0.2.1', serverPort: 8081, trustDomain: ca.trustDomain },
    },
    // The test's server has no certificate that this machine knows: same request, without TLS.
    fetch: ((url: string, init: RequestInit) => {
      const { pathname } = new URL(url)
      return fetch(`http://127.0.0.1:${port}${pathname}`, init)
    }) as typeof fetch,
  }
}

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    // Cast: it listens on TCP.
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const roots = async (trust: ReturnType<typeof bootstrapTrust>) => {
  const found = await trust
  if (found.kind !== 'bundle') throw new Error('no bundle')
  return found.bundle().x509Authorities.map(({ der }) => Buffer.from(der))
}
const expected = [Buffer.from(ca.certificate)]
const url = 'https://user:secret@bundles.example/b'

test.for([
  ['pem', pem],
  ['spiffe', document],
] as const)('a bundle comes from a file in %s format', async ([format, text]) => {
  writeFileSync(path, text)
  expect(await roots(bootstrapTrust({ kind: 'file', path, format }, deps()))).toEqual(expected)
})

test.for([
  ['pem', pem],
  ['spiffe', document],
] as const)('a bundle comes from an address in %s format', async ([format, text]) => {
  await using server = await serve((_, response) => response.end(text))
  expect(await roots(bootstrapTrust({ kind: 'url', url, format }, deps(server.port)))).toEqual(
    expected,
  )
})

test('an insecure bootstrap has no bundle at all', async () => {
  expect(await bootstrapTrust({ kind: 'insecure' }, deps())).toEqual({ kind: 'insecure' })
})

test.for([
  ['that is not there', undefined, 'pem'],
  ['of the other format', document, 'pem'],
  ['of the other format', pem, 'spiffe'],
  ['without certificates', 'hello', 'pem'],
  ['without X.509 authorities', '{"keys":[]}', 'spiffe'],
] as const)('refuses a file %s, and names it', async ([, text, format]) => {
  if (text !== undefined) writeFileSync(path, text)
  await expect(bootstrapTrust({ kind: 'file', path, format }, deps())).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(path),
  })
})

test('a redirect is followed to another https address', async () => {
  await using server = await serve((request, response) => {
    if (request.url === '/b') response.writeHead(302, { location: '/c' }).end()
    else response.end(pem)
  })
  const trust = bootstrapTrust({ kind: 'url', url, format: 'pem' }, deps(server.port))
  expect(await roots(trust)).toEqual(expected)
})

test.for<[string, RequestListener]>([
  ['answers 404', (_, response) => response.writeHead(404).end(pem)],
  [
    'redirects to plain http',
    (_, response) => response.writeHead(302, { location: 'http://bundles.example/c' }).end(),
  ],
  ['redirects for ever', (_, response) => response.writeHead(302, { location: '/b' }).end()],
  ['sends without end', (_, response) => response.end(Buffer.alloc(5 << 20, 'x'))],
  ['breaks off', (_, response) => response.destroy()],
])('refuses an address that %s, and does not show its password', async ([, listener]) => {
  await using server = await serve(listener)
  const trust = bootstrapTrust({ kind: 'url', url, format: 'pem' }, deps(server.port))
  const error: unknown = await trust.catch((caught: unknown) => caught)
  expect(error).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('trust_bundle_url at bundles.example'),
  })
  expect(String(error)).not.toContain('secret')
})

test('an address that never answers is given up', async () => {
  const clock = new FakeClock()
  await using server = await serve(() => {})
  const trust = bootstrapTrust({ kind: 'url', url, format: 'pem' }, deps(server.port, clock))
  const failed = expect(trust).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await clock.sleepers(1)
  clock.advance(30_000)
  await failed
})

/** An HTTP server on a Unix socket, as an operator's own bundle source. */
async function serveSocket(listener: RequestListener) {
  const socketPath = join(dir, 'bundle.sock')
  const server = createServer(listener).listen(socketPath)
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('a bundle comes from a Unix socket, which is told for whom and why', async () => {
  const asked: string[] = []
  await using server = await serveSocket((request, response) => {
    asked.push(request.url ?? '')
    response.end(pem)
  })
  const { socketPath } = server
  const bootstrap = {
    kind: 'socket-url',
    url: 'http://any/b?x=1',
    socketPath,
    format: 'pem',
  } as const
  expect(await roots(bootstrapTrust(bootstrap, deps()))).toEqual(expected)
  const { searchParams, pathname } = new URL(asked[0] ?? '', 'http://any')
  expect(pathname).toBe('/b')
  expect(Object.fromEntries(searchParams)).toEqual({
    x: '1',
    'spire-attest-mode': 'bootstrap',
    'spire-connection-attempts': '2',
    'spire-attest-start-time': '2026-01-01T00:00:00Z',
    'spire-server-address': '192.0.2.1',
    'spire-server-port': '8081',
    'spiffe-trust-domain': 'example.org',
  })
})

test.for<[string, RequestListener]>([
  ['answers 404', (_, response) => response.writeHead(404).end(pem)],
  ['redirects', (_, response) => response.writeHead(302, { location: '/c' }).end()],
  ['sends without end', (_, response) => response.end(Buffer.alloc(5 << 20, 'x'))],
  ['breaks off', (_, response) => response.destroy()],
])('refuses a Unix socket that %s', async ([, listener]) => {
  await using server = await serveSocket(listener)
  const { socketPath } = server
  const bootstrap = { kind: 'socket-url', url: 'http://any/b', socketPath, format: 'pem' } as const
  await expect(bootstrapTrust(bootstrap, deps())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(`trust_bundle_unix_socket ${socketPath}`),
  })
})

test('a Unix socket where nobody listens is named', async () => {
  const socketPath = join(dir, 'nobody.sock')
  const bootstrap = { kind: 'socket-url', url: 'http://any/b', socketPath, format: 'pem' } as const
  await expect(bootstrapTrust(bootstrap, deps())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

/** Another agent's Workload API, which knows these bundles. */
async function serveBundles(bundles: Record<string, Buffer>) {
  const path = join(dir, 'workload.sock')
  const server = new Server()
  server.addService(workloadApi().service, {
    FetchX509Bundles(call: ServerWritableStream<unknown, unknown>) {
      if (call.metadata.get('workload.spiffe.io')[0] === 'true') call.write({ bundles })
      else call.destroy()
    },
  })
  await new Promise((resolve) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), resolve)
  })
  return { address: `unix:${path}`, [Symbol.dispose]: () => server.forceShutdown() }
}

test('a bundle comes from a Workload API, and only that of the own trust domain', async () => {
  const other = (await testCa({ trustDomain: 'partner.org' })).certificate
  using api = await serveBundles({
    'spiffe://partner.org': Buffer.from(other),
    'spiffe://example.org': Buffer.concat([ca.certificate, other]),
  })
  const { address } = api
  expect(await roots(bootstrapTrust({ kind: 'workload-api', address }, deps()))).toEqual([
    ...expected,
    Buffer.from(other),
  ])
})

test.for([
  ['has no bundle of ours', { 'spiffe://partner.org': Buffer.from(ca.certificate) }],
  ['has an empty one', { 'spiffe://example.org': Buffer.alloc(0) }],
  ['has one that is none', { 'spiffe://example.org': Buffer.from('hello') }],
] as const)('refuses a Workload API that %s, and names it', async ([, bundles]) => {
  using api = await serveBundles(bundles)
  const { address } = api
  await expect(bootstrapTrust({ kind: 'workload-api', address }, deps())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(`trust_bundle_spiffe_workload_api ${address}`),
  })
})
