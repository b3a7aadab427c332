import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { parseBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId, parseTrustDomain, type TrustDomain } from '../../../spiffe/id.ts'
import { JWT_ALGORITHMS } from '../../../spiffe/jwt/algorithm.ts'
import { signJwtSvid } from '../../../spiffe/jwt/sign.ts'
import { verifyJwtSvid } from '../../../spiffe/jwt/verify.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { SPIRE_BUNDLE, SPIRE_TOKEN, VECTORS_NOW } from '../../vectors/foreign-documents.ts'
import { refusalOfAsync } from '../refusal.ts'

const ours = parseTrustDomain('example.org')
const theirs = parseTrustDomain('partner.org')
const NOW = new Date('2026-01-01T12:00:00Z')
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)

const curveKey = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
const keys = {
  p256: await generateKey('ec-p256'),
  p384: await generateKey('ec-p384'),
  p521: curveKey('P-521'),
  rsa: await generateKey('rsa-2048'),
  partner: await generateKey('ec-p256'),
}

function bundleWith(trustDomain: TrustDomain, named: Record<string, KeyObject>): Bundle {
  const jwtAuthorities = Object.entries(named).map(([keyId, key]) => ({
    keyId,
    publicKey: spkiOf(key),
    expiresAt: undefined,
    tainted: false,
  }))
  return { ...emptyBundle(trustDomain), jwtAuthorities }
}

const { partner, ...own } = keys
const bundles = new Map([
  [ours, bundleWith(ours, own)],
  [theirs, bundleWith(theirs, { partner, p256: partner })],
])

interface Changes {
  readonly key?: KeyObject
  readonly keyId?: string
  readonly id?: string
  readonly audience?: readonly string[]
  readonly issuedAt?: Date
  readonly expiresAt?: Date
}

const make = ({ id = 'spiffe://example.org/a', ...changes }: Changes = {}) =>
  signJwtSvid({
    key: keys.p256,
    keyId: 'p256',
    audience: ['shop'],
    issuedAt: NOW,
    expiresAt: later(300),
    ...changes,
    id: parseSpiffeId(id),
  })

const verify = (token: string, now = NOW, audience: string | readonly string[] = 'shop') =>
  refusalOfAsync(() => verifyJwtSvid(token, { bundles, audience, now }))

/** A token with any header and claims, signed as `alg` says. */
const forge = (key: KeyObject | Uint8Array, header: { alg: string }, claims: object = {}) =>
  new SignJWT({ sub: 'spiffe://example.org/a', aud: 'shop', exp: 2_000_000_000, ...claims })
    .setProtectedHeader({ kid: 'p256', ...header })
    .sign(key)

test('believes a token signed by a key of its own trust domain, and tells what it says', async () => {
  const svid = await verifyJwtSvid(await make(), { bundles, audience: 'shop', now: NOW })
  expect(svid).toMatchObject({
    id: 'spiffe://example.org/a',
    audience: ['shop'],
    expiresAt: later(300),
    claims: { sub: 'spiffe://example.org/a', aud: ['shop'], iat: NOW.getTime() / 1000 },
  })
})

test('believes a token of a real SPIRE server', async () => {
  const bundle = parseBundleDocument(SPIRE_BUNDLE, ours)
  const verified = verifyJwtSvid(SPIRE_TOKEN, {
    bundles: new Map([[ours, bundle]]),
    audience: 'b',
    now: VECTORS_NOW,
  })
  await expect(verified).resolves.toMatchObject({ id: 'spiffe://example.org/minted' })
})

const KEY_FOR = { RS: 'rsa', PS: 'rsa', ES256: 'p256', ES384: 'p384', ES512: 'p521' } as const
const keyFor = (alg: string) => KEY_FOR[(alg.startsWith('ES') ? alg : alg.slice(0, 2)) as 'RS'] // a key of KEY_FOR

test.for(JWT_ALGORITHMS)('believes %s with a key that fits, and with no other', async (alg) => {
  const kid = keyFor(alg)
  expect(await verify(await forge(keys[kid], { alg, kid } as { alg: string }))).toBe('accepted')
  for (const other of ['p256', 'p384', 'p521', 'rsa'] as const) {
    if (other === kid) continue
    const token = await forge(keys[kid], { alg, kid: other } as { alg: string })
    expect(await verify(token)).toBe(
      `JWT_SVID_INVALID: token algorithm ${alg} does not fit the key ${other}`,
    )
  }
})

test('refuses a token whose MAC was made with the public key', async () => {
  const header = Buffer.from('{"alg":"HS256","kid":"rsa"}').toString('base64url')
  const claims = '{"sub":"spiffe://example.org/a","aud":"shop","exp":2000000000}'
  const signed = `${header}.${Buffer.from(claims).toString('base64url')}`
  const mac = createHmac('sha256', spkiOf(keys.rsa)).update(signed).digest('base64url')
  expect(await verify(`${signed}.${mac}`)).toContain('algorithm "HS256" is not one of')
})

test('refuses an ID of ours that a key of another trust domain signed', async () => {
  const forged = await make({ key: keys.partner, keyId: 'p256' })
  expect(await verify(forged)).toBe('JWT_SVID_INVALID: token signature is not valid')
  const unknown = await make({ key: keys.partner, keyId: 'partner' })
  expect(await verify(unknown)).toBe(
    'JWT_SVID_INVALID: no JWT authority "partner" found for trust domain "example.org"',
  )
  const good = await make({ key: keys.partner, keyId: 'partner', id: 'spiffe://partner.org/a' })
  expect(await verify(good)).toBe('accepted')
})

test('refuses a trust domain without a bundle, and a bundle of another trust domain', async () => {
  const stranger = await make({ id: 'spiffe://stranger.org/a' })
  expect(await verify(stranger)).toBe(
    'JWT_SVID_INVALID: no bundle found for trust domain "stranger.org"',
  )
  const always = { get: () => bundles.get(ours) }
  expect(
    await refusalOfAsync(() =>
      verifyJwtSvid(stranger, { bundles: always, audience: 'shop', now: NOW }),
    ),
  ).toContain('no bundle found')
})

test('refuses a token without a key ID', async () => {
  const token = await new SignJWT({ sub: 'spiffe://example.org/a', aud: 'shop', exp: 2e9 })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(keys.p256)
  expect(await verify(token)).toBe('JWT_SVID_INVALID: token header missing key id')
})

test('a key in the header of a token is not used', async () => {
  const evil = await generateKey('ec-p256')
  const jwk = evil.export({ format: 'jwk' })
  const header = { alg: 'ES256', jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } }
  expect(await verify(await forge(evil, header))).toBe(
    'JWT_SVID_INVALID: token signature is not valid',
  )
})

test('is valid until its expiry and one minute, as in SPIRE', async () => {
  const token = await make()
  expect(await verify(token, later(360))).toBe('accepted')
  expect(await verify(token, later(361))).toBe('JWT_SVID_INVALID: token has expired')
})

test('a time that is none is refused', async () => {
  expect(await verify(await make(), new Date(Number.NaN))).toBe(
    'JWT_SVID_INVALID: token has expired',
  )
})

test('is not valid more than a minute before its nbf or iat', async () => {
  const issued = await make({ issuedAt: later(120), expiresAt: later(300) })
  expect(await verify(issued, later(59))).toContain('token is not valid yet')
  expect(await verify(issued, later(60))).toBe('accepted')
  const nbf = NOW.getTime() / 1000 + 120
  const starting = await forge(keys.p256, { alg: 'ES256' }, { nbf })
  expect(await verify(starting, later(59))).toContain('token is not valid yet')
  expect(await verify(starting, later(60))).toBe('accepted')
})

test('must be meant for one of the names of the verifier', async () => {
  const token = await make({ audience: ['shop', 'cart'] })
  expect(await verify(token, NOW, ['x', 'cart'])).toBe('accepted')
  expect(await verify(token, NOW, 'sho')).toBe(
    'JWT_SVID_INVALID: expected audience in ["sho"] (audience=["shop" "cart"])',
  )
})

test.for([[[]], [''], [['']]] as const)(
  'refuses any token when the verifier is called %j',
  async ([name]) => {
    expect(await verify(await make(), NOW, name)).toBe(
      'JWT_SVID_INVALID: audience must be specified',
    )
  },
)

test('an authority whose key cannot be read vouches for nobody', async () => {
  const broken = { keyId: 'p256', publicKey: Buffer.of(1), expiresAt: undefined, tainted: false }
  const bundle = { ...emptyBundle(ours), jwtAuthorities: [broken] }
  const token = await make()
  expect(
    await refusalOfAsync(() =>
      verifyJwtSvid(token, { bundles: new Map([[ours, bundle]]), audience: 'shop', now: NOW }),
    ),
  ).toBe('JWT_SVID_INVALID: JWT authority "p256" has no readable key')
})

test('a tainted key still vouches until it is revoked', async () => {
  const bundle = bundleWith(ours, { p256: keys.p256 })
  const jwtAuthorities = bundle.jwtAuthorities.map((one) => ({ ...one, tainted: true }))
  const token = await make()
  const check = (jwt: Bundle['jwtAuthorities']) =>
    refusalOfAsync(() =>
      verifyJwtSvid(token, {
        bundles: new Map([[ours, { ...bundle, jwtAuthorities: jwt }]]),
        audience: 'shop',
        now: NOW,
      }),
    )
  expect(await check(jwtAuthorities)).toBe('accepted')
  expect(await check([])).toContain('no JWT authority "p256"')
})

test('no character of a token can be changed without its being refused', async () => {
  const token = await make()
  const change = fc.record({ at: fc.nat(token.length - 1), to: fc.constantFrom(...'AZaz09-_.') })
  await fc.assert(
    fc.asyncProperty(change, async ({ at, to }) => {
      const changed = token.slice(0, at) + to + token.slice(at + 1)
      fc.pre(changed !== token)
      expect(await verify(changed)).toMatch('JWT_SVID_INVALID: ')
    }),
  )
})
