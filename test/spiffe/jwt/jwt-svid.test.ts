import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJwtSvid } from '../../../spiffe/jwt/jwt-svid.ts'
import { SPIRE_TOKEN } from '../../vectors/foreign-documents.ts'
import { refusalOf, survives } from '../refusal.ts'

const HEADER = { alg: 'ES256', kid: 'key', typ: 'JWT' }
const CLAIMS = { sub: 'spiffe://example.org/a', aud: ['b'], exp: 2_000_000_000, iat: 1_700_000_000 }

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (header: object, claims: object) => `${part(header)}.${part(claims)}.c2ln`
const withHeader = (changes: object) => token({ ...HEADER, ...changes }, CLAIMS)
const withClaims = (changes: object) => token(HEADER, { ...CLAIMS, ...changes })

test('reads what a token says', () => {
  const svid = parseJwtSvid(withClaims({ nbf: 1_700_000_001, extra: { a: 1 } }))
  expect(svid).toMatchObject({
    id: 'spiffe://example.org/a',
    audience: ['b'],
    keyId: 'key',
    algorithm: 'ES256',
    expiresAt: new Date(2_000_000_000_000),
    issuedAt: new Date(1_700_000_000_000),
    notBefore: new Date(1_700_000_001_000),
    claims: { extra: { a: 1 } },
  })
})

test('reads a token of a real SPIRE server', () => {
  const svid = parseJwtSvid(SPIRE_TOKEN, ['b'])
  expect([svid.id, svid.audience, svid.algorithm, svid.keyId]).toEqual([
    'spiffe://example.org/minted',
    ['a', 'b'],
    'ES256',
    'hrQiqg8mGPkY92sx0OReIcWhaivQBGOp',
  ])
})

test('takes an audience that is a single text, and tokens without kid, typ, iat and nbf', () => {
  const svid = parseJwtSvid(token({ alg: 'PS512' }, { ...CLAIMS, aud: 'b', iat: undefined }))
  expect([svid.audience, svid.keyId, svid.issuedAt, svid.notBefore]).toEqual([
    ['b'],
    undefined,
    undefined,
    undefined,
  ])
})

const raw = (text: string) => Buffer.from(text).toString('base64url')
const twice = (value: object, more: string) => raw(`${JSON.stringify(value).slice(0, -1)},${more}}`)

test.for([
  ['two algorithms', `${twice(HEADER, '"alg":"none"')}.${part(CLAIMS)}.c2ln`, 'header'],
  ['two key IDs', `${twice(HEADER, '"kid":"other"')}.${part(CLAIMS)}.c2ln`, 'header'],
  [
    'two subjects',
    `${part(HEADER)}.${twice(CLAIMS, '"sub":"spiffe://example.org/b"')}.c2ln`,
    'claims',
  ],
  ['two audiences', `${part(HEADER)}.${twice(CLAIMS, '"aud":["c"]')}.c2ln`, 'claims'],
  [
    'a name spelled in two ways',
    `${part(HEADER)}.${twice(CLAIMS, '"\\u0073ub":"x"')}.c2ln`,
    'claims',
  ],
  [
    'two members of one name further down',
    `${part(HEADER)}.${twice(CLAIMS, '"x":{"y":1,"y":2}')}.c2ln`,
    'claims',
  ],
] as const)('refuses %s, of which another reader might take the other', ([, svid, where]) => {
  expect(refusalOf(() => parseJwtSvid(svid))).toBe(
    `JWT_SVID_INVALID: unable to parse JWT token: malformed ${where}`,
  )
})

test.for(['JWT', 'JOSE', undefined])('takes the type %s', (typ) => {
  expect(refusalOf(() => parseJwtSvid(withHeader({ typ })))).toBe('accepted')
})

test('unknown header parameters have no effect', () => {
  const jwk = { kty: 'oct', k: 'AA' }
  expect(refusalOf(() => parseJwtSvid(withHeader({ jwk, jku: 'https://evil', x: 1 })))).toBe(
    'accepted',
  )
})

test.for(['none', 'HS256', 'HS512', 'EdDSA', 'ES256K', 'es256', 'RS1', '', 7, null, undefined])(
  'refuses the algorithm %j before it reads anything else',
  (alg) => {
    expect(refusalOf(() => parseJwtSvid(`${part({ alg })}.e30.c2ln`))).toContain(
      'is not one of RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512',
    )
  },
)

test.for([
  ['an empty text', ''],
  ['two parts', `${part(HEADER)}.${part(CLAIMS)}`],
  ['an unsigned token', `${part(HEADER)}.${part(CLAIMS)}.`],
  ['five parts, as an encrypted token has', 'a.b.c.d.e'],
  ['the JSON serialization', JSON.stringify({ payload: 'a', protected: 'b', signature: 'c' })],
  ['a line break at its end', `${withClaims({})}\n`],
  ['padded base64', `${part(HEADER)}.${part(CLAIMS)}.c2lnbg==`],
  ['a second spelling of the same bytes', withClaims({}).replace(/c2ln$/, 'c2lp_x')],
] as const)('refuses %s', ([, text]) => {
  expect(refusalOf(() => parseJwtSvid(text))).toBe(
    'JWT_SVID_INVALID: token is not a JWS in compact serialization',
  )
})

test.for([
  ['a critical parameter', withHeader({ crit: ['exp'], exp: 1 }), 'critical parameters'],
  ['an empty list of critical parameters', withHeader({ crit: [] }), 'critical parameters'],
  ['an unencoded payload', withHeader({ b64: false }), 'critical parameters'],
  ['another type', withHeader({ typ: 'at+jwt' }), 'not equal to either JWT or JOSE'],
  ['the type of a WIT-SVID', withHeader({ typ: 'wit+jwt' }), 'not equal to either JWT or JOSE'],
  ['a type in lower case', withHeader({ typ: 'jwt' }), 'not equal to either JWT or JOSE'],
  ['a key ID that is no text', withHeader({ kid: 7 }), 'token key ID is not a string'],
  ['no subject', withClaims({ sub: undefined }), 'token missing subject claim'],
  ['an empty subject', withClaims({ sub: '' }), 'token missing subject claim'],
  ['a subject that is no ID', withClaims({ sub: 'alice' }), 'invalid subject claim: not a SPIFFE'],
  ['a subject that is no text', withClaims({ sub: 7 }), 'invalid subject claim: not a string'],
  ['no expiry', withClaims({ exp: undefined }), 'token missing exp claim'],
  ['an expiry that is no number', withClaims({ exp: '2000000000' }), 'invalid exp claim'],
  ['an expiry beyond all dates', withClaims({ exp: 1e300 }), 'invalid exp claim'],
  ['an issue time that is no number', withClaims({ iat: 'now' }), 'invalid iat claim'],
  ['a start that is no number', withClaims({ nbf: {} }), 'invalid nbf claim'],
  ['no audience', withClaims({ aud: undefined }), 'token missing aud claim'],
  ['an empty audience', withClaims({ aud: [] }), 'token missing aud claim'],
  ['an audience with a number', withClaims({ aud: ['b', 7] }), 'token missing aud claim'],
  ['claims that are a list', `${part(HEADER)}.${part([1])}.c2ln`, 'malformed claims'],
  ['a header that is no JSON', `e30x.${part(CLAIMS)}.c2ln`, 'malformed header'],
  ['a giant token', withClaims({ x: 'x'.repeat(20_000) }), 'longer than 16384 bytes'],
] as const)('refuses %s', ([, text, why]) => {
  expect(refusalOf(() => parseJwtSvid(text))).toMatch('JWT_SVID_INVALID: ')
  expect(refusalOf(() => parseJwtSvid(text))).toContain(why)
})

test('refuses a token meant for somebody else, and says for whom', () => {
  expect(refusalOf(() => parseJwtSvid(withClaims({}), ['x', 'y']))).toBe(
    'JWT_SVID_INVALID: expected audience in ["x" "y"] (audience=["b"])',
  )
})

test('a refusal never carries the token', () => {
  const secret = part({ ...CLAIMS, sub: 'nobody', password: 'hunter2' })
  expect(refusalOf(() => parseJwtSvid(`${part(HEADER)}.${secret}.c2ln`))).not.toContain(secret)
})

test('any text is read or refused, never anything else', () => {
  const parts = fc.tuple(fc.json(), fc.json(), fc.base64String())
  fc.assert(
    fc.property(fc.oneof(fc.string(), parts), (any) => {
      const text =
        typeof any === 'string'
          ? any
          : [any[0], any[1], any[2]].map((one) => Buffer.from(one).toString('base64url')).join('.')
      survives(() => parseJwtSvid(text), 'JWT_SVID_INVALID')
    }),
  )
  fc.assert(
    fc.property(fc.object(), fc.object(), (header, claims) => {
      const text = token({ ...HEADER, ...header }, { ...CLAIMS, ...claims })
      survives(() => parseJwtSvid(text), 'JWT_SVID_INVALID')
    }),
  )
})
