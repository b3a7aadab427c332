/** SPIFFE-Trust-Domain-and-Bundle: each requirement on documents, by its number in the checklist. */
import { createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseBundleMap } from '../../spiffe/bundle/bundle-map.ts'
import { formatBundleDocument, parseBundleDocument } from '../../spiffe/bundle/jwks.ts'
import { appendAuthorities } from '../../spiffe/bundle/merge.ts'
import { emptyBundle } from '../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { generateKey } from '../../spiffe/key.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { TEST_NOW, testCa } from '../fakes/ca.ts'
import { refusalOf } from '../spiffe/refusal.ts'

const trustDomain = parseTrustDomain('example.org')
const ca = await testCa()
const jwk = createPublicKey(await generateKey('ec-p256')).export({ format: 'jwk' })
const parse = (document: unknown) => parseBundleDocument(JSON.stringify(document), trustDomain)

test('B-1 §4.1.3: keys must be there; an empty list trusts nobody', async () => {
  expect(refusalOf(() => parse({ spiffe_sequence: 1 }))).toContain('no list "keys"')
  const { chain } = await ca.leaf()
  const nobody = parse({ keys: [] })
  expect(refusalOf(() => verifyX509Svid({ chain, bundle: nobody, now: TEST_NOW }))).toContain(
    'signed by unknown authority',
  )
  expect(JSON.parse(formatBundleDocument(emptyBundle(trustDomain)))).toEqual({ keys: [] })
})

test('B-2 §4.1.1: the sequence number grows with every change of content', () => {
  const { x509Authorities } = ca.bundle
  const next = appendAuthorities(emptyBundle(trustDomain), { x509Authorities })
  expect(JSON.parse(formatBundleDocument(next)).spiffe_sequence).toBe(1)
  expect(appendAuthorities(next, { x509Authorities }).sequenceNumber).toBe(1)
})

test('B-4 §4.2: entries have kty and use; those of unknown kty or use, or without, are ignored', () => {
  const written = JSON.parse(formatBundleDocument(ca.bundle)).keys
  expect(written).toMatchObject([{ kty: 'EC', use: 'x509-svid' }])
  const known = { ...jwk, use: 'jwt-svid', kid: 'known' }
  const keys = [
    { ...known, kid: 'a', kty: 'AKP' },
    { ...known, kid: 'b', kty: undefined },
    { ...known, kid: 'c', use: 'enc' },
    { ...known, kid: 'd', use: undefined },
    known,
  ]
  expect(parse({ keys }).jwtAuthorities.map(({ keyId }) => keyId)).toEqual(['known'])
})

test('B-5 §4.1.4: parameters that are not defined have no effect', () => {
  const key = { ...jwk, use: 'jwt-svid', kid: 'a' }
  const plain = parse({ keys: [key] })
  expect(parse({ keys: [{ ...key, future: 1 }], future: [{}] })).toEqual(plain)
})

test('B-6 §4.3: a map names each trust domain once, and refresh hints in it are ignored', () => {
  const one = '{"keys":[],"spiffe_refresh_hint":5}'
  const map = parseBundleMap(`{"trust_domains":{"example.org":${one}}}`)
  expect(map.get(trustDomain)?.refreshHintSeconds).toBe(0)
  expect(
    refusalOf(() => parseBundleMap(`{"trust_domains":{"a.org":${one},"a.org":${one}}}`)),
  ).toContain('the key "a.org" twice')
  expect(refusalOf(() => parseBundleMap('{"keys":[]}'))).toContain('no object "trust_domains"')
})

test('W-8 WIT-SVID §6: key IDs are unique across JWT and WIT keys', () => {
  const keys = ['jwt-svid', 'wit-svid'].map((use) => ({ ...jwk, use, kid: 'same' }))
  expect(refusalOf(() => parse({ keys }))).toContain('kid "same" is there twice')
  expect(refusalOf(() => parse({ keys: [{ ...jwk, use: 'wit-svid' }] }))).toContain('has no kid')
})
