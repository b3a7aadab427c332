import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeDueSteps } from '../../../server/ca/rotate.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { parseJwtSvid } from '../../../spiffe/jwt/jwt-svid.ts'
import { verifyJwtSvid } from '../../../spiffe/jwt/verify.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { encodeName } from '../../../spiffe/x509/name.ts'
import { verifyX509Svid } from '../../../spiffe/x509/verify.ts'
import {
  openSite,
  type RunningServer,
  type ServerOptions,
  type Site,
  startServer,
  TRUST_DOMAIN,
} from '../ca/server-under-test.ts'

const HOUR_MS = 60 * 60 * 1000
const id = parseSpiffeId('spiffe://example.org/shop/cart')
const agentId = parseSpiffeId('spiffe://example.org/spire/agent/join_token/abc')
const spki = spkiOf(await generateKey('ec-p256'))
const workload = { spki, id, dnsNames: [], ttlSeconds: 0 }
const token = { id, audience: ['a'], ttlSeconds: 0, includeJti: false }

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.store.close())

const start = (options?: ServerOptions) => startServer(site, options)
const leafOf = ({ chain: [leaf] }: { readonly chain: readonly Uint8Array[] }) =>
  new X509Certificate(leaf ?? expect.unreachable())
const secondsAfterNow = (date: Date) => (date.getTime() - site.clock.now().getTime()) / 1000
const loseAuthorities = ({ bundle }: RunningServer) =>
  bundle.update((current) => ({
    ...current,
    x509Authorities: [],
    jwtAuthorities: [],
    sequenceNumber: current.sequenceNumber + 1,
  }))

test('a workload SVID has its ID, is for its key, and verifies against the bundle', async () => {
  const { issuer, bundle, ca } = await start()
  const svid = await issuer.issueWorkloadX509Svid(workload)
  const now = site.clock.now()
  expect(verifyX509Svid({ chain: svid.chain, bundle: bundle.current(), now }).id).toBe(id)
  const leaf = leafOf(svid)
  expect(leaf.publicKey.export({ type: 'spki', format: 'der' })).toEqual(spki)
  expect(svid.authorityId).toBe(ca.x509.slots().active?.id)
  expect(leaf.subject).toBe('C=US\nO=SPIRE')
})

test('the chain is the leaf alone, because the root is in the bundle', async () => {
  const { issuer } = await start()
  expect((await issuer.issueWorkloadX509Svid(workload)).chain).toHaveLength(1)
})

test.for([
  ['the default life', 0, 3_600],
  ['the life asked for', 60, 60],
  ['the life of the authority at most', 48 * 3_600, 24 * 3_600],
] as const)('a workload SVID has %s', async ([, ttlSeconds, expected]) => {
  const { issuer } = await start()
  const svid = await issuer.issueWorkloadX509Svid({ ...workload, ttlSeconds })
  expect(secondsAfterNow(svid.expiresAt)).toBe(expected)
  expect(leafOf(svid).validToDate).toEqual(svid.expiresAt)
  expect(secondsAfterNow(leafOf(svid).validFromDate)).toBe(-10)
  expect(svid.issuedAt).toEqual(site.clock.now())
})

test('serial numbers are positive, of up to 128 random bits, and never the same', async () => {
  const { issuer } = await start()
  const svids = await Promise.all(
    Array.from({ length: 100 }, () => issuer.issueWorkloadX509Svid(workload)),
  )
  const serials = svids.map((svid) => BigInt(`0x${leafOf(svid).serialNumber}`))
  expect(new Set(serials).size).toBe(100)
  expect(serials.every((serial) => serial > 0n && serial < 2n ** 128n)).toBe(true)
  expect(serials.some((serial) => serial > 2n ** 120n)).toBe(true)
})

test('DNS names are in the SVID, and the first is its common name', async () => {
  const { issuer } = await start()
  const leaf = leafOf(
    await issuer.issueWorkloadX509Svid({ ...workload, dnsNames: ['a.test', '*.b.test'] }),
  )
  expect(leaf.subject).toBe('C=US\nO=SPIRE\nCN=a.test')
  expect(leaf.subjectAltName?.split(', ').sort()).toEqual([
    'DNS:*.b.test',
    'DNS:a.test',
    `URI:${id}`,
  ])
})

test('a subject that is asked for is taken, an empty one is not', async () => {
  const { issuer } = await start()
  const subject = encodeName({ country: [], organization: ['Shop'], commonName: 'cart' })
  expect(leafOf(await issuer.issueWorkloadX509Svid({ ...workload, subject })).subject).toBe(
    'O=Shop\nCN=cart',
  )
  const empty = Uint8Array.of(0x30, 0)
  expect(leafOf(await issuer.issueWorkloadX509Svid({ ...workload, subject: empty })).subject).toBe(
    'C=US\nO=SPIRE',
  )
})

test.for([
  ['the default life of SVIDs', undefined, 3_600],
  ['a life of its own when that is configured', 7_200, 7_200],
] as const)('an agent SVID has %s', async ([, agentTtlSeconds, expected]) => {
  const { issuer } = await start(agentTtlSeconds === undefined ? {} : { agentTtlSeconds })
  const svid = await issuer.issueAgentX509Svid({ spki, id: agentId })
  expect(secondsAfterNow(svid.expiresAt)).toBe(expected)
  expect(leafOf(svid).subjectAltName).toBe(`URI:${agentId}`)
})

test('the server SVID is for the ID of the server', async () => {
  const { issuer } = await start()
  expect(leafOf(await issuer.issueServerX509Svid({ spki })).subjectAltName).toBe(
    'URI:spiffe://example.org/spire/server',
  )
})

test.for([
  'spiffe://other.test/shop/cart',
  'spiffe://example.org',
  'spiffe://example.org/spire/server',
  'spiffe://example.org/spire/agent/join_token/abc',
  'spiffe://example.org/spire',
])('a workload SVID for %s is never signed, whoever asks', async (wrong) => {
  const { issuer } = await start()
  const id = parseSpiffeId(wrong)
  await expect(issuer.issueWorkloadX509Svid({ ...workload, id })).rejects.toThrow(
    'not the ID of a workload',
  )
  await expect(issuer.issueJwtSvid({ ...token, id })).rejects.toThrow('not the ID of a workload')
})

test.for([
  'spiffe://other.test/spire/agent/join_token/abc',
  'spiffe://example.org/spire/server',
  'spiffe://example.org/shop/cart',
])('an agent SVID for %s is never signed, whoever asks', async (wrong) => {
  const { issuer } = await start()
  const signing = issuer.issueAgentX509Svid({ spki, id: parseSpiffeId(wrong) })
  await expect(signing).rejects.toThrow('not the ID of an agent')
})

test('a JWT-SVID verifies against the bundle and has the claims of SPIRE’s, no more', async () => {
  const { issuer, bundle, ca } = await start()
  const svid = await issuer.issueJwtSvid({ ...token, audience: ['a', 'b'] })
  const now = site.clock.now()
  const bundles = new Map([[TRUST_DOMAIN, bundle.current()]])
  const { claims, keyId } = await verifyJwtSvid(svid.token, { bundles, audience: 'a', now })
  const seconds = now.getTime() / 1000
  expect(claims).toEqual({ sub: id, aud: ['a', 'b'], iat: seconds, exp: seconds + 300 })
  expect(keyId).toBe(ca.jwt?.slots().active?.id)
  expect(svid).toMatchObject({ issuedAt: now, authorityId: keyId })
})

test('a JWT-SVID has an issuer only when one is configured', async () => {
  const { issuer } = await start({ jwtIssuer: 'https://issuer.test' })
  expect(parseJwtSvid((await issuer.issueJwtSvid(token)).token).claims.iss).toBe(
    'https://issuer.test',
  )
})

test('a JWT-SVID gets a fresh ID of sixteen bytes when asked for', async () => {
  const { issuer } = await start()
  const jti = async () =>
    parseJwtSvid((await issuer.issueJwtSvid({ ...token, includeJti: true })).token).claims.jti
  const first = await jti()
  expect(Buffer.from(String(first), 'base64url')).toHaveLength(16)
  expect(await jti()).not.toBe(first)
})

test('a JWT-SVID ends no later than the key that signed it', async () => {
  const { issuer } = await start()
  const svid = await issuer.issueJwtSvid({ ...token, ttlSeconds: 48 * 3_600 })
  expect(secondsAfterNow(svid.expiresAt)).toBe(24 * 3_600)
  expect(parseJwtSvid(svid.token).expiresAt).toEqual(svid.expiresAt)
})

test('a JWT-SVID is refused while the profile is disabled', async () => {
  const { issuer } = await start({ disableJwtSvids: true })
  await expect(issuer.issueJwtSvid(token)).rejects.toMatchObject({
    code: 'NOT_IMPLEMENTED',
    message: 'JWT functionality is disabled',
  })
})

test('nothing is signed while the authority is not in the bundle, and again once rotation made another', async () => {
  const server = await start()
  const { issuer, ca } = server
  await loseAuthorities(server)
  const unavailable = { name: 'IdentityError', code: 'UNAVAILABLE' }
  await expect(issuer.issueWorkloadX509Svid(workload)).rejects.toMatchObject(unavailable)
  await expect(issuer.issueAgentX509Svid({ spki, id: agentId })).rejects.toMatchObject(unavailable)
  await expect(issuer.issueServerX509Svid({ spki })).rejects.toMatchObject(unavailable)
  await expect(issuer.issueJwtSvid(token)).rejects.toMatchObject(unavailable)
  await takeDueSteps(ca.x509, site.clock)
  await expect(issuer.issueWorkloadX509Svid(workload)).resolves.toBeDefined()
})

test('nothing is signed with an authority that has expired', async () => {
  const { issuer } = await start()
  site.clock.advance(24 * HOUR_MS)
  await expect(issuer.issueWorkloadX509Svid(workload)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
  await expect(issuer.issueJwtSvid(token)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('after an activation the new authority signs, and SVIDs of the old one stay good', async () => {
  const { issuer, ca, bundle } = await start()
  const before = await issuer.issueWorkloadX509Svid(workload)
  const { id: next } = await ca.x509.prepare()
  expect((await issuer.issueWorkloadX509Svid(workload)).authorityId).toBe(before.authorityId)
  await ca.x509.activate(next)
  const after = await issuer.issueWorkloadX509Svid(workload)
  expect(after.authorityId).toBe(next)
  for (const { chain } of [before, after]) {
    expect(verifyX509Svid({ chain, bundle: bundle.current(), now: site.clock.now() }).id).toBe(id)
  }
})
