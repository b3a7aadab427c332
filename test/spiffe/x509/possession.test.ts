import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { generateKey, type KeyType, parseSpki, spkiOf } from '../../../spiffe/key.ts'
import {
  isPossessionProven,
  possessionKindOf,
  provePossession,
} from '../../../spiffe/x509/possession.ts'

const challenge = randomBytes(32)
const nonce = randomBytes(32)
const publicOf = (key: Parameters<typeof spkiOf>[0]) => parseSpki(spkiOf(key))

test.for<KeyType>(['ec-p256', 'ec-p384', 'rsa-2048'])(
  'a key of type %s proves itself',
  async (type) => {
    const key = await generateKey(type)
    const proof = provePossession(key, challenge, nonce)
    expect(isPossessionProven(publicOf(key), challenge, proof)).toBe(true)
    expect(isPossessionProven(publicOf(await generateKey(type)), challenge, proof)).toBe(false)
    expect(isPossessionProven(publicOf(key), randomBytes(32), proof)).toBe(false)
    expect(isPossessionProven(publicOf(key), challenge, { ...proof, nonce: randomBytes(32) })).toBe(
      false,
    )
  },
)

test('a P-521 key proves itself too', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  const proof = provePossession(privateKey, challenge, nonce)
  expect(isPossessionProven(publicKey, challenge, proof)).toBe(true)
})

test('numbers are taken with leading zeros, and without', async () => {
  const key = await generateKey('ec-p256')
  const proof = provePossession(key, challenge, nonce)
  if (proof.kind !== 'ecdsa') return expect.unreachable()
  const padded = { ...proof, r: Buffer.concat([Buffer.alloc(40), proof.r]) }
  expect(isPossessionProven(publicOf(key), challenge, padded)).toBe(true)
})

test('an RSA signature without PSS proves nothing', async () => {
  const key = await generateKey('rsa-2048')
  const signature = sign('sha256', Buffer.concat([challenge, nonce]), key)
  expect(isPossessionProven(publicOf(key), challenge, { kind: 'rsa', nonce, signature })).toBe(
    false,
  )
})

test('a signature over the nonces in the other order proves nothing', async () => {
  const key = await generateKey('ec-p256')
  const swapped = { ...provePossession(key, nonce, challenge), nonce }
  expect(isPossessionProven(publicOf(key), challenge, swapped)).toBe(false)
})

test('a key of another kind can neither prove itself nor be proven', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  expect(possessionKindOf(privateKey)).toBeUndefined()
  expect(() => provePossession(privateKey, challenge, nonce)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
  const proof = provePossession(await generateKey('ec-p256'), challenge, nonce)
  expect(isPossessionProven(publicKey, challenge, proof)).toBe(false)
})

test.for([0, 31, 33])('a challenge of %i bytes is not signed', async (size) => {
  const key = await generateKey('ec-p256')
  expect(() => provePossession(key, randomBytes(size), nonce)).toThrow(/expected 32/)
})
