import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, flattenedVerify } from 'jose'
import { expect, test } from 'vitest'
import { accountJwkOf, keyAuthorizationOf, signRequest, thumbprintOf } from '../../acme/jws.ts'
import { generateKey } from '../../spiffe/key.ts'

const key = await generateKey('ec-p256')
const url = 'https://ca.test/order'

test('another library verifies what is signed, and finds URL, nonce and signer in it', async () => {
  const kid = 'https://ca.test/account/1'
  const body = signRequest(key, { kid }, { url, nonce: 'n-1', payload: '{"a":1}' })
  const { payload, protectedHeader } = await flattenedVerify(JSON.parse(body), createPublicKey(key))
  expect(Buffer.from(payload).toString()).toBe('{"a":1}')
  expect(protectedHeader).toEqual({ alg: 'ES256', nonce: 'n-1', url, kid })
})

test('POST-as-GET has an empty payload', async () => {
  const jwk = accountJwkOf(key)
  const body = JSON.parse(signRequest(key, { jwk }, { url, nonce: 'n', payload: '' }))
  expect(body.payload).toBe('')
  await expect(flattenedVerify(body, createPublicKey(key))).resolves.toBeDefined()
})

test('the thumbprint is that of RFC 7638, and a key authorization ends with it', async () => {
  const jwk = accountJwkOf(key)
  const thumbprint = await calculateJwkThumbprint(jwk)
  expect(thumbprintOf(jwk)).toBe(thumbprint)
  expect(keyAuthorizationOf('token', thumbprint)).toBe(`token.${thumbprint}`)
})

test('the private part never leaves with the public one', () => {
  expect(Object.keys(accountJwkOf(key))).toEqual(['crv', 'kty', 'x', 'y'])
})

test.for(['ec-p384', 'rsa-2048'] as const)('refuses an account key of type %s', async (type) => {
  const other = await generateKey(type)
  expect(() => accountJwkOf(other)).toThrow(/of the curve P-256/)
})
