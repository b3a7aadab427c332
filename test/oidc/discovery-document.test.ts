import { createPublicKey } from 'node:crypto'
import { importJWK } from 'jose'
import { expect, test } from 'vitest'
import { formatKeySet } from '../../oidc/discovery-document.ts'
import { emptyBundle } from '../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'

const types = ['ec-p256', 'ec-p384', 'rsa-2048'] as const
const keys = await Promise.all(types.map((type) => generateKey(type)))
const bundle = {
  ...emptyBundle(parseTrustDomain('example.org')),
  jwtAuthorities: keys.map((key, at) => ({
    keyId: types[at] ?? '',
    publicKey: new Uint8Array(spkiOf(key)),
    expiresAt: undefined,
    tainted: false,
  })),
}

test('each key says its ID and algorithm, and is the key that it was', async () => {
  const set = JSON.parse(formatKeySet(bundle, { hasUse: false }) ?? '')
  expect(set.keys).toMatchObject([
    { kid: 'ec-p256', alg: 'ES256' },
    { kid: 'ec-p384', alg: 'ES384' },
    { kid: 'rsa-2048', alg: 'RS256' },
  ])
  for (const [at, jwk] of set.keys.entries()) {
    expect(jwk.use).toBe(undefined)
    await importJWK(jwk, jwk.alg)
    const spki = createPublicKey({ key: jwk, format: 'jwk' }).export({
      type: 'spki',
      format: 'der',
    })
    expect(spki).toEqual(Buffer.from(bundle.jwtAuthorities[at]?.publicKey ?? []))
  }
})

test('keys say that they are for signatures when that is wanted', () => {
  const set = JSON.parse(formatKeySet(bundle, { hasUse: true }) ?? '')
  expect(set.keys.map(({ use }: { use: string }) => use)).toEqual(['sig', 'sig', 'sig'])
})

test('a bundle without JWT keys has no key set', () => {
  expect(formatKeySet({ ...bundle, jwtAuthorities: [] }, { hasUse: false })).toBe(undefined)
})
