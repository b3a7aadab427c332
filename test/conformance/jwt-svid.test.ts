/** JWT-SVID: each requirement that an issuer or validator must meet, by its number in the checklist. */
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { formatBundleDocument, parseBundleDocument } from '../../spiffe/bundle/jwks.ts'
import { type Bundle, emptyBundle } from '../../spiffe/bundle.ts'
import { parseSpiffeId, parseTrustDomain } from '../../spiffe/id.ts'
import { JWT_ALGORITHMS } from '../../spiffe/jwt/algorithm.ts'
import { signJwtSvid } from '../../spiffe/jwt/sign.ts'
import { verifyJwtSvid } from '../../spiffe/jwt/verify.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import { refusalOfAsync } from '../spiffe/refusal.ts'

const trustDomain = parseTrustDomain('example.org')
const key = await generateKey('ec-p256')
const authority = { keyId: 'k', publicKey: spkiOf(key), expiresAt: undefined, tainted: false }
const bundle: Bundle = { ...emptyBundle(trustDomain), jwtAuthorities: [authority] }
const bundles = new Map([[trustDomain, bundle]])
const NOW = new Date('2026-01-01T12:00:00Z')
const now = NOW.getTime() / 1000

const good = await signJwtSvid({
  key,
  keyId: 'k',
  id: parseSpiffeId('spiffe://example.org/a'),
  audience: ['b'],
  issuedAt: NOW,
  expiresAt: new Date(NOW.getTime() + 300_000),
})

const verify = (token: string) =>
  refusalOfAsync(() => verifyJwtSvid(token, { bundles, audience: 'b', now: NOW }))

/** What a validator says of a token that is good but for these changes. */
const verdict = async (claims: object, header: object = {}) =>
  verify(
    await new SignJWT({ sub: 'spiffe://example.org/a', aud: ['b'], exp: now + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k', ...header })
      .sign(key),
  )

test('J-1 §2: only the compact serialization is made and taken', async () => {
  expect(good.split('.').length).toBe(3)
  const [protectedHeader, payload, signature] = good.split('.')
  const flattened = JSON.stringify({ protected: protectedHeader, payload, signature })
  const general = JSON.stringify({
    payload,
    signatures: [{ protected: protectedHeader, signature }],
  })
  for (const text of [flattened, general, `${good}.`, `${protectedHeader}..${signature}`]) {
    expect(await verify(text)).toContain('not a JWS in compact serialization')
  }
  expect(await verify(good)).toBe('accepted')
})

test('J-2 §2.1: an algorithm that is not one of the nine is refused before anything else', async () => {
  expect(JWT_ALGORITHMS.length).toBe(9)
  const withAlg = (alg: string) => {
    const header = Buffer.from(JSON.stringify({ alg, kid: 'k' })).toString('base64url')
    return `${header}.bm90IGpzb24.c2ln`
  }
  for (const alg of ['none', 'HS256', 'HS384', 'HS512', 'EdDSA', 'ES256K', 'RSA-OAEP']) {
    expect(await verify(withAlg(alg))).toContain(`token algorithm "${alg}" is not one of`)
  }
})

test('J-4 §2: no other header parameter is set, and none that must be understood is taken', async () => {
  expect(Object.keys(decodeProtectedHeader(good)).sort()).toEqual(['alg', 'kid', 'typ'])
  const [, claims, signature] = good.split('.')
  const critical = Buffer.from('{"alg":"ES256","kid":"k","crit":["x"],"x":1}').toString('base64url')
  expect(await verify([critical, claims, signature].join('.'))).toContain('critical parameters')
  expect(await verdict({}, { typ: 'JWE' })).toContain('not equal to either JWT or JOSE')
})

test('J-5 §3.1: the subject is the SPIFFE ID', async () => {
  expect(decodeJwt(good).sub).toBe('spiffe://example.org/a')
  expect(await verdict({ sub: undefined })).toContain('missing subject')
  expect(await verdict({ sub: 'alice' })).toContain('invalid subject')
})

test('J-6 §3.2: a token without an audience, or for somebody else, is refused', async () => {
  expect(decodeJwt(good).aud).toEqual(['b'])
  expect(await verdict({ aud: undefined })).toContain('missing aud')
  expect(await verdict({ aud: [] })).toContain('missing aud')
  expect(await verdict({ aud: ['c'] })).toContain('expected audience')
  expect(await verdict({ aud: ['c', 'b'] })).toBe('accepted')
})

test('J-7 §3.3: a token without an expiry, or past it, is refused', async () => {
  expect(decodeJwt(good).exp).toBe(now + 300)
  expect(await verdict({ exp: undefined })).toContain('missing exp')
  expect(await verdict({ exp: now - 61 })).toContain('expired')
})

test('J-10 §6: bundle entries have their use and a kid, and are found by that use', () => {
  const { keys } = JSON.parse(formatBundleDocument(bundle))
  expect(keys).toMatchObject([{ use: 'jwt-svid', kid: 'k' }])
  const others = ['sig', 'x509-svid', 'wit-svid', undefined].map((use, index) => ({
    ...keys[0],
    use,
    kid: `other${index}`,
  }))
  const read = parseBundleDocument(JSON.stringify({ keys: [...others, ...keys] }), trustDomain)
  expect(read.jwtAuthorities.map(({ keyId }) => keyId)).toEqual(['k'])
})
