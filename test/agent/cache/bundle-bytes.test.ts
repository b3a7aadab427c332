import { expect, test } from 'vitest'
import { isSameBundlesById, jwksOf, x509BundleOf } from '../../../agent/cache/bundle-bytes.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

const empty = emptyBundle(parseTrustDomain('example.org'))
const bundle: Bundle = {
  ...empty,
  x509Authorities: ['one', 'two'].map((text) => ({ der: Buffer.from(text), tainted: false })),
}

test('authorities stand one behind the other, and keys in a JWK Set', () => {
  expect(x509BundleOf(bundle).toString()).toBe('onetwo')
  expect(JSON.parse(jwksOf(bundle).toString())).toMatchObject({ keys: [] })
})

test.for([
  ['X.509', x509BundleOf],
  ['JWT', jwksOf],
] as const)('a bundle has its %s bytes once, and another one its own', ([, encode]) => {
  expect(encode(bundle)).toBe(encode(bundle))
  expect(encode({ ...bundle })).not.toBe(encode(bundle))
})

const [a, b] = [Buffer.from('a'), Buffer.from('b')]

test.for([
  ['the same bytes in another order', { x: a, y: b }, { y: Buffer.from('b'), x: a }, true],
  ['other bytes', { x: a }, { x: b }, false],
  ['one more', { x: a }, { x: a, y: b }, false],
  ['one less', { x: a, y: b }, { x: a }, false],
  ['another trust domain', { x: a }, { y: a }, false],
] as const)('%s', ([, one, other, isSame]) => {
  expect(isSameBundlesById(one, other)).toBe(isSame)
})
