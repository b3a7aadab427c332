import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { CompactSign } from 'jose'
import { expect, test } from 'vitest'
import type { JwtRule, KeySource } from '../../../policy/request-authentication.ts'
import { type FetchDocument, fetchDocument } from '../../../proxy/policy-source/fetch-document.ts'
import { openTokenKeys } from '../../../proxy/policy-source/issuer-keys.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { currentCa, VALID_NOW } from '../../fakes/svids.ts'

const one = await generateKey('ec-p256')
const two = await generateKey('ec-p256')
const jwks = (...keys: (typeof one)[]) =>
  JSON.stringify({
    keys: keys.map((key) => ({
      ...createPublicKey(key).export({ format: 'jwk' }),
      kid: kidOf(key),
    })),
  })
const kidOf = (key: typeof one) => (key === one ? 'one' : 'two')
const tokenBy = (key: typeof one) =>
  new CompactSign(Buffer.from(JSON.stringify({ iss: ISSUER, sub: 'me' })))
    .setProtectedHeader({ alg: 'ES256', kid: kidOf(key) })
    .sign(key)
const ISSUER = 'https://issuer.example'
const URI = 'https://issuer.example/keys'

const rule = (keys: KeySource): JwtRule => ({
  ...{ issuer: ISSUER, audiences: [], keys, fromHeaders: [], fromParams: [], fromCookies: [] },
  ...{ forwardOriginalToken: false, outputPayloadToHeader: undefined, outputClaimToHeaders: [] },
  ...{ timeoutMs: 5_000, spaceDelimitedClaims: [] },
})
const byUri = rule({ kind: 'uri', uri: URI })

function start(fetch: FetchDocument) {
  const clock = new FakeClock()
  const { log, lines } = memoryLog()
  const keys = openTokenKeys({ fetch, ca: undefined, clock, log })
  const verdict = async (key: typeof one, of = byUri) => {
    const check = await keys.verify(of, await tokenBy(key))
    return check.kind === 'valid' ? 'valid' : check.fault
  }
  return { ...keys, clock, lines, verdict }
}

test('keys are fetched in the background, and again after a while', async () => {
  let published = jwks(one)
  using keys = start(async () => published)
  expect(await keys.verdict(one)).toBe('keys-unavailable')
  keys.follow([byUri])
  await expect.poll(() => keys.verdict(one)).toBe('valid')
  published = jwks(two)
  await keys.clock.sleepers(1)
  keys.clock.advance(20 * 60_000)
  await expect.poll(() => keys.verdict(two)).toBe('valid')
  expect(await keys.verdict(one)).toBe('no-matching-key')
})

test('an issuer that is away keeps its last good keys, and says so once', async () => {
  let isAway = false
  let asked = 0
  using keys = start(async () => {
    asked += 1
    if (isAway) throw new Error('connection refused')
    return jwks(one)
  })
  keys.follow([byUri])
  await expect.poll(() => keys.verdict(one)).toBe('valid')
  isAway = true
  await keys.clock.sleepers(1)
  keys.clock.advance(20 * 60_000)
  for (const pause of [1_000, 2_000, 4_000]) {
    await keys.clock.sleepers(1)
    keys.clock.advance(pause)
  }
  await expect.poll(() => asked).toBe(5)
  expect(await keys.verdict(one)).toBe('valid')
  expect(keys.status()).toMatchObject([{ source: URI, keys: 1, problem: 'connection refused' }])
  expect(keys.lines.filter(({ msg }) => /cannot be fetched/.test(msg))).toHaveLength(1)
})

test('a token with a new key makes us look for it at once, but not for every token', async () => {
  let published = jwks(one)
  let asked = 0
  using keys = start(async () => {
    asked += 1
    return published
  })
  keys.follow([byUri])
  await expect.poll(() => keys.verdict(one)).toBe('valid')
  published = jwks(one, two)
  expect(await keys.verdict(two)).toBe('no-matching-key')
  expect(asked).toBe(1)
  await keys.clock.sleepers(1)
  keys.clock.advance(30_000)
  await expect.poll(() => keys.verdict(two)).toBe('valid')
  expect(asked).toBe(2)
})

test('keys in the policy itself need nobody; those that cannot be read are none', async () => {
  using keys = start(async () => {
    throw new Error('nobody is to be asked')
  })
  expect(await keys.verdict(one, rule({ kind: 'inline', jwks: jwks(one) }))).toBe('valid')
  expect(await keys.verdict(one, rule({ kind: 'inline', jwks: '{' }))).toBe('keys-unavailable')
})

test('the issuer says where its keys are, where the policy does not', async () => {
  const asked: string[] = []
  using keys = start(async (url) => {
    asked.push(url)
    return url === URI ? jwks(one) : JSON.stringify({ jwks_uri: URI })
  })
  const discovered = rule({ kind: 'discovery' })
  keys.follow([discovered])
  await expect.poll(() => keys.verdict(one, discovered)).toBe('valid')
  expect(asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, URI])
})

test('an issuer that no policy names any more is forgotten', async () => {
  using keys = start(async () => jwks(one))
  keys.follow([byUri])
  await expect.poll(() => keys.verdict(one)).toBe('valid')
  keys.follow([])
  expect(keys.status()).toEqual([])
  expect(await keys.verdict(one)).toBe('keys-unavailable')
})

async function serveText(status: number, text: string) {
  const server = createServer((_, response) => void response.writeHead(status).end(text))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return { url: `http://127.0.0.1:${port}/keys`, [Symbol.dispose]: () => void server.close() }
}

const how = { ca: undefined, timeoutMs: 5_000, signal: new AbortController().signal }

test('a document is fetched, and what is no good answer is refused', async () => {
  using good = await serveText(200, 'keys')
  expect(await fetchDocument(good.url, how)).toBe('keys')
  using moved = await serveText(302, '')
  await expect(fetchDocument(moved.url, how)).rejects.toThrow(/it answered 302, expected 200/)
  using large = await serveText(200, 'x'.repeat(1024 * 1024 + 1))
  await expect(fetchDocument(large.url, how)).rejects.toThrow(/larger than/)
  await expect(fetchDocument('file:///etc/passwd', how)).rejects.toThrow(/expected an http/)
  await expect(fetchDocument('http://127.0.0.1:1/', how)).rejects.toThrow(/ECONNREFUSED/)
})

test('a server of a private CA is believed when its CA is given, and only then', async () => {
  const ca = await currentCa('example.org')
  const leaf = await ca.leaf('/keys', { ...VALID_NOW, dnsNames: ['localhost'] })
  const server = createTlsServer(
    {
      cert: toPem('CERTIFICATE', leaf.certificate),
      key: leaf.key.export({ type: 'pkcs8', format: 'pem' }),
    },
    (_, response) => void response.end('keys'),
  )
  server.listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  const url = `https://localhost:${port}/`
  await expect(fetchDocument(url, how)).rejects.toThrow(/self-signed|unable to/)
  expect(await fetchDocument(url, { ...how, ca: toPem('CERTIFICATE', ca.certificate) })).toBe(
    'keys',
  )
  server.close()
})
