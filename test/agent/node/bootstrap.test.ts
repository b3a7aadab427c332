import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bootstrapTrust } from '../../../agent/node/bootstrap.ts'
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
