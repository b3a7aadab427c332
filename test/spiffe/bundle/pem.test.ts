import { expect, test } from 'vitest'
import { formatBundlePem, parseBundlePem } from '../../../spiffe/bundle/pem.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { testCa } from '../../fakes/ca.ts'
import { SPIRE_BUNDLE_PEM } from '../../vectors/foreign-documents.ts'
import { refusalOf } from '../refusal.ts'

const trustDomain = parseTrustDomain('example.org')
const certificates = [await testCa(), await testCa()].map((one) => one.certificate)
const bundle = {
  ...emptyBundle(trustDomain),
  x509Authorities: certificates.map((der) => ({ der, tainted: false })),
}

test('a bundle of several authorities comes back in the same order', () => {
  expect(parseBundlePem(formatBundlePem(bundle), trustDomain)).toEqual(bundle)
})

test('the file of a real SPIRE server is read, and written again character for character', () => {
  const spire = parseBundlePem(SPIRE_BUNDLE_PEM, trustDomain)
  expect(formatBundlePem(spire)).toBe(SPIRE_BUNDLE_PEM)
})

test.for([
  ['an empty file', '', 'no block "CERTIFICATE"'],
  ['a private key', toPem('PRIVATE KEY', Buffer.from('x')), 'expected "CERTIFICATE"'],
  ['something that is no certificate', toPem('CERTIFICATE', Buffer.from('x')), 'malformed DER'],
  ['a JSON bundle', '{"keys":[]}', 'no block "CERTIFICATE"'],
] as const)('refuses %s', ([, text, why]) => {
  expect(refusalOf(() => parseBundlePem(text, trustDomain))).toMatch(
    'BUNDLE_MALFORMED: malformed PEM bundle: ',
  )
  expect(refusalOf(() => parseBundlePem(text, trustDomain))).toContain(why)
})
