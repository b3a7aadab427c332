import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  generateKey,
  KEY_TYPES,
  keyTypeOf,
  parsePkcs8,
  parseSpki,
  spkiOf,
  toPkcs8,
} from '../../spiffe/key.ts'
import { refusalOf } from './refusal.ts'

for (const type of KEY_TYPES.filter((one) => one !== 'rsa-4096')) {
  test(`a ${type} key is made, written and read back as the same key`, async () => {
    const key = await generateKey(type)
    expect(key.type).toBe('private')
    expect(keyTypeOf(key)).toBe(type)
    const again = parsePkcs8(toPkcs8(key))
    expect(again.equals(key)).toBe(true)
    expect(parseSpki(spkiOf(again)).equals(parseSpki(spkiOf(key)))).toBe(true)
  })
}

test('a key of a kind that is never made has no type', () => {
  expect(keyTypeOf(generateKeyPairSync('ed25519').privateKey)).toBeUndefined()
  expect(keyTypeOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey)).toBeUndefined()
})

test.for([
  ['nothing', new Uint8Array()],
  ['text', Buffer.from('-----BEGIN PRIVATE KEY-----')],
  ['a cut-off key', toPkcs8(generateKeyPairSync('ed25519').privateKey).subarray(0, -1)],
] as const)('refuses %s as private key, and says nothing of the bytes', ([, der]) => {
  expect(refusalOf(() => parsePkcs8(der))).toBe(
    'CERTIFICATE_MALFORMED: not an unencrypted PKCS#8 private key',
  )
})

test('refuses an encrypted private key', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const der = privateKey.export({
    type: 'pkcs8',
    format: 'der',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  })
  expect(refusalOf(() => parsePkcs8(der))).toContain('not an unencrypted PKCS#8 private key')
})
