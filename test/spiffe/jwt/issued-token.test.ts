import { createPublicKey, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign } from 'jose'
import { expect, test } from 'vitest'
import { parseIssuerKeys, verifyIssuedToken } from '../../../spiffe/jwt/issued-token.ts'
import { generateKey } from '../../../spiffe/key.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
const SECONDS = NOW.getTime() / 1000
const ec = await generateKey('ec-p256')
const rsa = await generateKey('rsa-2048')
const stranger = await generateKey('ec-p256')

const jwkOf = (key: KeyObject, more: object) => ({
  ...createPublicKey(key).export({ format: 'jwk' }),
  ...more,
})
const keys = parseIssuerKeys(
  JSON.stringify({ keys: [jwkOf(ec, { kid: 'a', use: 'sig' }), jwkOf(rsa, { kid: 'b' })] }),
)

const CLAIMS = { iss: 'https://issuer.example', sub: 'me', aud: ['shop'], exp: SECONDS + 60 }

const sign = (claims: object, header: object = { kid: 'a' }, key: KeyObject = ec, alg = 'ES256') =>
  new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg, ...header })
    .sign(key)

const check = async (token: string, audiences: readonly string[] = []) => {
  const outcome = await verifyIssuedToken(token, { keys, audiences, now: NOW })
  return outcome.kind === 'valid' ? 'valid' : outcome.fault
}

test('a good token is believed, with its claims as they are', async () => {
  const token = await sign({ ...CLAIMS, groups: ['a', 'b'] })
  expect(await verifyIssuedToken(token, { keys, audiences: ['shop', 'x'], now: NOW })).toEqual({
    kind: 'valid',
    claims: { ...CLAIMS, groups: ['a', 'b'] },
  })
})

test('a token that names no key is tried with those that fit', async () => {
  expect(await check(await sign(CLAIMS, {}))).toBe('valid')
  expect(await check(await sign(CLAIMS, {}, rsa, 'RS256'))).toBe('valid')
  expect(await check(await sign(CLAIMS, { kid: 'b' }, rsa, 'PS256'))).toBe('valid')
})

test.each([
  ['expired', { exp: SECONDS - 61 }],
  ['valid', { exp: SECONDS - 59 }],
  ['not-yet-valid', { nbf: SECONDS + 61 }],
  ['valid', { nbf: SECONDS + 59 }],
  ['malformed', { exp: 'tomorrow' }],
  ['malformed', { nbf: '0' }],
  ['valid', { exp: undefined }],
])('%s: a token with %o', async (fault, change) => {
  expect(await check(await sign({ ...CLAIMS, ...change }))).toBe(fault)
})

test.each([
  ['valid', { aud: 'shop' }],
  ['valid', { aud: ['x', 'shop'] }],
  ['audience', { aud: 'other' }],
  ['audience', { aud: undefined }],
  ['audience', { aud: [['shop']] }],
])('%s: an audience of %o where shop is expected', async (fault, change) => {
  expect(await check(await sign({ ...CLAIMS, ...change }), ['shop'])).toBe(fault)
})

test('a signature by somebody else is none', async () => {
  expect(await check(await sign(CLAIMS, { kid: 'a' }, stranger))).toBe('signature')
})

test('a key that nobody published is told apart from a wrong signature', async () => {
  expect(await check(await sign(CLAIMS, { kid: 'c' }))).toBe('no-matching-key')
  expect(await check(await sign(CLAIMS, { kid: 'b' }))).toBe('no-matching-key')
})

test('a public key used as a shared secret signs nothing', async () => {
  const secret = createPublicKey(ec).export({ type: 'spki', format: 'pem' })
  const token = await new CompactSign(Buffer.from(JSON.stringify(CLAIMS)))
    .setProtectedHeader({ alg: 'HS256', kid: 'a' })
    .sign(Buffer.from(secret))
  expect(await check(token)).toBe('no-matching-key')
})

test('a token without a signature is worth nothing', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  expect(await check(`${part({ alg: 'none', kid: 'a' })}.${part(CLAIMS)}.`)).toBe('no-matching-key')
})

test('an extension that must be understood and is not refuses the token', async () => {
  const [, payload, signature] = (await sign(CLAIMS)).split('.')
  const header = Buffer.from('{"alg":"ES256","kid":"a","crit":["x"],"x":1}').toString('base64url')
  expect(await check(`${header}.${payload}.${signature}`)).toBe('malformed')
})

test('no text makes it throw, and none is believed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string(), fc.stringMatching(/^[\w-]{0,30}\.[\w-]{0,30}\.[\w-]{0,30}$/)),
      async (text) => {
        expect(await check(text)).not.toBe('valid')
      },
    ),
  )
})

test('keys of kinds and uses that sign nothing are left out, and so are private halves', () => {
  const read = parseIssuerKeys(
    JSON.stringify({
      keys: [
        { kty: 'oct', k: 'c2VjcmV0' },
        jwkOf(ec, { use: 'enc' }),
        'not a key',
        { ...ec.export({ format: 'jwk' }), kid: 'private' },
      ],
    }),
  )
  expect(read.keys).toHaveLength(1)
  expect(JSON.stringify(read)).not.toContain('"d"')
})

test.each(['', '[]', '{}', '{"keys":{}}', '{"keys":', 'null'])('%j is no key set', (text) => {
  expect(() => parseIssuerKeys(text)).toThrow(/not a JWKS/)
})
