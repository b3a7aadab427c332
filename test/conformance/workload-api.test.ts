/** SPIFFE Workload API, the server's side: what each message carries and when it is sent. */
import { createPrivateKey } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { emptyBundle } from '../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { generateKey, spkiOf, toPkcs8 } from '../../spiffe/key.ts'
import { fakeIdentity } from '../fakes/identity-source.ts'
import {
  exampleBundle,
  messages,
  next,
  openWorkloadEndpoint,
  secured,
} from '../fakes/workload-endpoint.ts'

const key = await generateKey('ec-p256')
const web = fakeIdentity('spiffe://example.org/web', { key: toPkcs8(key), hint: 'internal' })
const db = fakeIdentity('spiffe://example.org/db', { hint: 'external' })
const jwtBundle = {
  ...exampleBundle,
  jwtAuthorities: [
    { keyId: 'k1', publicKey: spkiOf(key), expiresAt: undefined, tainted: false },
    { keyId: 'k2', publicKey: spkiOf(key), expiresAt: undefined, tainted: true },
  ],
}
const partner = {
  ...emptyBundle(parseTrustDomain('partner.org')),
  x509Authorities: [{ der: Buffer.from('partner root;'), tainted: false }],
}

type Endpoint = Awaited<ReturnType<typeof open>>

async function open() {
  const endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web, db], bundle: jwtBundle, federatedBundles: [partner] })
  return endpoint
}

test('A-1 serves the X.509 and the JWT profile', async () => {
  await using endpoint = await open()
  expect((await next(messages(endpoint.client.FetchX509SVID({}, secured())))).svids).toHaveLength(2)
  expect((await endpoint.fetchJwtSvid({ audience: ['a'] })).svids).toHaveLength(2)
})

test.for(['FetchWITSVID', 'FetchWITBundles'] as const)(
  'A-1 answers Unimplemented to %s, since it has no WIT profile',
  async (method) => {
    await using endpoint = await open()
    const stream = messages<unknown>(endpoint.client[method]({}, secured()))
    await expect(stream.next()).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  },
)

test('A-2 sends the complete state at once and again after a change', async () => {
  await using endpoint = await open()
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  const ids = async () => (await next(stream)).svids.map(({ spiffe_id }) => spiffe_id)
  expect(await ids()).toEqual([web.id, db.id])
  endpoint.source.set({ identities: [db] })
  expect(await ids()).toEqual([db.id])
  endpoint.source.set({ identities: [web, db] })
  expect(await ids()).toEqual([web.id, db.id])
})

test('A-4 what is gone is absent from the next message, not carried over', async () => {
  await using endpoint = await open()
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  expect(Object.keys((await next(stream)).federated_bundles)).toEqual(['spiffe://partner.org'])
  endpoint.source.set({ federatedBundles: [], identities: [fakeIdentity(web.id)] })
  const update = await next(stream)
  expect(update.federated_bundles).toEqual({})
  expect(update.svids[0]?.hint).toBe('')
})

test.for([
  ['FetchJWTSVID without audience', (to: Endpoint) => to.fetchJwtSvid({})],
  ['ValidateJWTSVID without audience', (to: Endpoint) => to.validateJwtSvid({ svid: 'x' })],
  ['ValidateJWTSVID without svid', (to: Endpoint) => to.validateJwtSvid({ audience: 'a' })],
] as const)('A-5 refuses %s as InvalidArgument', async ([, call]) => {
  await using endpoint = await open()
  await expect(call(endpoint)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
})

test('A-6 every SVID has ID, chain, key and bundle, and hints are unique', async () => {
  await using endpoint = await open()
  const { svids } = await next(messages(endpoint.client.FetchX509SVID({}, secured())))
  expect(svids.length).toBeGreaterThan(0)
  for (const svid of svids) {
    expect(svid.spiffe_id).not.toBe('')
    for (const bytes of [svid.x509_svid, svid.x509_svid_key, svid.bundle]) {
      expect(bytes.length).toBeGreaterThan(0)
    }
  }
  expect(new Set(svids.map(({ hint }) => hint)).size).toBe(svids.length)
})

test('A-6 never answers with an empty list of SVIDs: without identity the stream is refused', async () => {
  await using endpoint = await open()
  endpoint.source.set({ identities: [] })
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  await expect(stream.next()).rejects.toMatchObject({ code: status.PERMISSION_DENIED })
})

test('A-7 a workload that loses its identity is told so by PermissionDenied', async () => {
  await using endpoint = await open()
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  await next(stream)
  endpoint.source.set({ identities: [] })
  await expect(stream.next()).rejects.toMatchObject({ code: status.PERMISSION_DENIED })
})

test.for(['FetchX509Bundles', 'FetchJWTBundles'] as const)(
  'A-8 %s keys bundles by trust domain ID, the own one among them',
  async (method) => {
    await using endpoint = await open()
    const stream = messages<{ bundles: object }>(endpoint.client[method]({}, secured()))
    expect(Object.keys((await next(stream)).bundles).sort()).toEqual([
      'spiffe://example.org',
      'spiffe://partner.org',
    ])
  },
)

test('A-8 X.509 bundles hold certificates alone, JWT bundles keys alone', async () => {
  await using endpoint = await open()
  const x509 = await next(messages(endpoint.client.FetchX509Bundles({}, secured())))
  expect(x509.bundles['spiffe://example.org']?.toString()).toBe('root 1;root 2;')
  const jwt = await next(messages(endpoint.client.FetchJWTBundles({}, secured())))
  expect(jwt.bundles['spiffe://example.org']?.toString()).not.toContain('x5c')
})

test('A-9 refuses an absent audience, and without an ID gives a token for every identity', async () => {
  await using endpoint = await open()
  await expect(endpoint.fetchJwtSvid({ audience: [] })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'audience must be specified',
  })
  const { svids } = await endpoint.fetchJwtSvid({ audience: ['a'] })
  expect(svids.map(({ spiffe_id }) => spiffe_id)).toEqual([web.id, db.id])
})

test('A-10 JWT bundles list each key with its kid and nothing for another use', async () => {
  await using endpoint = await open()
  const { bundles } = await next(messages(endpoint.client.FetchJWTBundles({}, secured())))
  const document = JSON.parse(bundles['spiffe://example.org']?.toString() ?? '')
  expect(Object.keys(document)).toEqual(['keys'])
  expect(document.keys.map((jwk: object) => Object.keys(jwk).sort())).toEqual(
    Array(2).fill(['crv', 'kid', 'kty', 'x', 'y']),
  )
  expect(document.keys.map(({ kid }: { kid: string }) => kid)).toEqual(['k1', 'k2'])
})

test('A-11 refuses a token that no key of the bundle of its trust domain has signed', async () => {
  await using endpoint = await open()
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: web.id, aud: ['a'], exp: 4_000_000_000 }
  const svid = `${part({ alg: 'ES256', kid: 'k1' })}.${part(claims)}.${'A'.repeat(86)}`
  await expect(endpoint.validateJwtSvid({ audience: 'a', svid })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  })
})

test('A-12 the first SVID is the default identity, the first of the source', async () => {
  await using endpoint = await open()
  const { svids } = await next(messages(endpoint.client.FetchX509SVID({}, secured())))
  expect(svids[0]).toMatchObject({ spiffe_id: web.id, hint: 'internal' })
})

test('A-13 hands out DER, the key as unencrypted PKCS#8, the chain with the leaf first', async () => {
  await using endpoint = await open()
  const { svids } = await next(messages(endpoint.client.FetchX509SVID({}, secured())))
  const der = svids[0]?.x509_svid_key ?? Buffer.alloc(0)
  const read = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  expect(read.equals(key)).toBe(true)
  expect(svids[0]?.x509_svid.toString()).toBe(`leaf of ${web.id};intermediate;`)
})

test('A-14 has no WIT answers at all: both calls are refused before any message', async () => {
  await using endpoint = await open()
  for (const method of ['FetchWITSVID', 'FetchWITBundles'] as const) {
    const stream = messages<unknown>(endpoint.client[method]({}, secured()))
    await expect(stream.next()).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  }
})
