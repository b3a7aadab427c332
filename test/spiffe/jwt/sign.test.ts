import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { fits, jwtAlgorithmOf } from '../../../spiffe/jwt/algorithm.ts'
import { type JwtSvidParams, signJwtSvid } from '../../../spiffe/jwt/sign.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { SPIRE_TOKEN } from '../../vectors/foreign-documents.ts'
import { refusalOf } from '../refusal.ts'

const params: JwtSvidParams = {
  key: await generateKey('ec-p256'),
  keyId: 'abc',
  id: parseSpiffeId('spiffe://example.org/a'),
  audience: ['shop'],
  issuedAt: new Date('2026-01-01T12:00:00.900Z'),
  expiresAt: new Date('2026-01-01T12:05:00.900Z'),
}

test('has the header and the claims of SPIRE, and no more', async () => {
  const token = await signJwtSvid(params)
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid: 'abc', typ: 'JWT' })
  expect(decodeJwt(token)).toEqual({
    sub: 'spiffe://example.org/a',
    aud: ['shop'],
    iat: 1767268800,
    exp: 1767269100,
  })
  expect(Object.keys(decodeJwt(token))).toEqual(Object.keys(decodeJwt(SPIRE_TOKEN)))
})

test('has an issuer and an ID of its own when it is given them', async () => {
  const token = await signJwtSvid({ ...params, issuer: 'https://oidc.example.org', jti: 'x' })
  expect(decodeJwt(token)).toMatchObject({ iss: 'https://oidc.example.org', jti: 'x' })
})

test('drops empty audiences, and refuses to sign for nobody', async () => {
  const token = await signJwtSvid({ ...params, audience: ['', 'a', ''] })
  expect(decodeJwt(token).aud).toEqual(['a'])
  expect(refusalOf(() => signJwtSvid({ ...params, audience: ['', ''] }))).toBe(
    'REQUEST_INVALID: audience is required',
  )
})

test.for([
  ['ec-p256', 'ES256'],
  ['ec-p384', 'ES384'],
  ['rsa-2048', 'RS256'],
] as const)('a %s key signs with %s', async ([type, alg]) => {
  const key = await generateKey(type)
  const token = await signJwtSvid({ ...params, key })
  expect(decodeProtectedHeader(token).alg).toBe(alg)
})

test('refuses keys that none of the nine algorithms takes', () => {
  const { privateKey: ed25519 } = generateKeyPairSync('ed25519')
  const { privateKey: weak } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  expect(refusalOf(() => signJwtSvid({ ...params, key: ed25519 }))).toContain('key of type ed25519')
  expect(refusalOf(() => jwtAlgorithmOf(weak))).toContain('key of type rsa')
  expect(fits(weak, 'RS256')).toBe(false)
})
