import { status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import type { Struct } from '../../../proto/gen/google/protobuf/Struct.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { signJwtSvid } from '../../../spiffe/jwt/sign.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { exampleBundle, openWorkloadEndpoint } from '../../fakes/workload-endpoint.ts'

const now = new Date('2026-01-01T00:00:00Z')
const ownKey = await generateKey('ec-p256')
const partnerKey = await generateKey('ec-p256')

const withKey = (bundle: Bundle, keyId: string, key: typeof ownKey): Bundle => ({
  ...bundle,
  jwtAuthorities: [{ keyId, publicKey: spkiOf(key), expiresAt: undefined, tainted: false }],
})
const own = withKey(exampleBundle, 'own', ownKey)
const partner = withKey(emptyBundle(parseTrustDomain('partner.org')), 'partner', partnerKey)

const sign = (change: Partial<Parameters<typeof signJwtSvid>[0]> = {}) =>
  signJwtSvid({
    key: ownKey,
    keyId: 'own',
    id: parseSpiffeId('spiffe://example.org/web'),
    audience: ['db', 'cache'],
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 300_000),
    issuer: 'https://issuer.example',
    jti: 'unique',
    ...change,
  })
const signAsPartner = () =>
  sign({ key: partnerKey, keyId: 'partner', id: parseSpiffeId('spiffe://partner.org/api') })

async function open(allowedForeignJwtClaims: readonly string[] = []) {
  const endpoint = await openWorkloadEndpoint({ allowedForeignJwtClaims })
  endpoint.source.set({ bundle: own, federatedBundles: [partner] })
  return endpoint
}

const namesOf = (claims: Struct | null) => Object.keys(claims?.fields ?? {}).sort()

test('shows all claims of a token of the own trust domain, the audience as a list', async () => {
  await using endpoint = await open()
  const reply = await endpoint.validateJwtSvid({ audience: 'db', svid: await sign() })
  expect(reply.spiffe_id).toBe('spiffe://example.org/web')
  expect(namesOf(reply.claims)).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'sub'])
  expect(reply.claims?.fields.aud?.listValue?.values.map((one) => one.stringValue)).toEqual([
    'db',
    'cache',
  ])
  expect(reply.claims?.fields.exp?.numberValue).toBe(now.getTime() / 1000 + 300)
})

test('needs no identity of the caller, since a verifier may have none', async () => {
  await using endpoint = await open()
  expect(await endpoint.validateJwtSvid({ audience: 'db', svid: await sign() })).toBeDefined()
  expect(endpoint.source.asked).toEqual([])
})

test('of a foreign token only the claims of SPIFFE are shown, and those that are allowed', async () => {
  const request = { audience: 'db', svid: await signAsPartner() }
  await using strict = await open()
  expect(namesOf((await strict.validateJwtSvid(request)).claims)).toEqual(['aud', 'exp', 'sub'])
  await using open_ = await open(['iss', 'absent'])
  expect(namesOf((await open_.validateJwtSvid(request)).claims)).toEqual([
    'aud',
    'exp',
    'iss',
    'sub',
  ])
})

test.for([
  ['no audience', async () => ({ svid: await sign() }), 'audience must be specified'],
  ['no token', async () => ({ audience: 'db' }), 'svid must be specified'],
  ['no JWT', async () => ({ audience: 'db', svid: 'x' }), /./],
  ['another audience', async () => ({ audience: 'x', svid: await sign() }), /audience/],
  [
    'an expired token',
    async () => ({ audience: 'db', svid: await sign({ expiresAt: new Date(0) }) }),
    /expired/,
  ],
  [
    'a signature by a key that is not in the bundle',
    async () => ({ audience: 'db', svid: await sign({ key: partnerKey }) }),
    /signature/,
  ],
  [
    'a partner that speaks for the own trust domain',
    async () => ({ audience: 'db', svid: await sign({ key: partnerKey, keyId: 'partner' }) }),
    /example\.org/,
  ],
  [
    'a trust domain that is not known',
    async () => ({ audience: 'db', svid: await sign({ id: parseSpiffeId('spiffe://x.org/y') }) }),
    /x\.org/,
  ],
] as const)('refuses %s as InvalidArgument', async ([, request, details]) => {
  await using endpoint = await open()
  await expect(endpoint.validateJwtSvid(await request())).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: typeof details === 'string' ? details : expect.stringMatching(details),
  })
})

test('a refused token is not repeated in the answer or in the log', async () => {
  await using endpoint = await open()
  const svid = await sign({ key: partnerKey })
  const error = await endpoint.validateJwtSvid({ audience: 'db', svid }).catch(String)
  const secret = svid.split('.')[2] ?? ''
  expect(String(error)).not.toContain(secret)
  expect(JSON.stringify(endpoint.lines)).not.toContain(secret)
})
