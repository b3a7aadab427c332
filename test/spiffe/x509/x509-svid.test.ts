import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { toPkcs8 } from '../../../spiffe/key.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import { verifyX509Svid } from '../../../spiffe/x509/verify.ts'
import { parseX509Svid } from '../../../spiffe/x509/x509-svid.ts'
import { testCa } from '../../fakes/ca.ts'
import {
  OPENSSL_LEAF,
  OPENSSL_ROOT,
  SPIRE_BUNDLE_PEM,
  SPIRE_SVID,
  VECTORS_NOW,
} from '../../vectors/foreign-documents.ts'
import { refusalOf, survives } from '../refusal.ts'

const ca = await testCa()
const leaf = await (await ca.intermediate()).leaf('/cart')
const chain = Buffer.concat(leaf.chain)
const key = toPkcs8(leaf.key)

test('takes chain and key as the Workload API hands them out', () => {
  const svid = parseX509Svid(chain, key)
  expect(svid.id).toBe('spiffe://example.org/cart')
  expect(svid.chain).toEqual(leaf.chain)
  expect(svid.key.equals(leaf.key)).toBe(true)
  expect(svid.expiresAt.toISOString()).toBe('2026-01-02T00:00:00.000Z')
})

test('refuses the key of another certificate', () => {
  expect(refusalOf(() => parseX509Svid(chain, toPkcs8(ca.key)))).toBe(
    'CERTIFICATE_MALFORMED: the private key does not belong to the certificate of spiffe://example.org/cart',
  )
})

test.for([
  ['no certificate', Buffer.alloc(0), 'X509-SVID has no certificate'],
  ['a CA as leaf', Buffer.from(ca.certificate), 'names a trust domain'],
  ['a chain that is cut off', chain.subarray(0, -1), 'ends early'],
  ['another thing after it', Buffer.concat([chain, Buffer.of(0x05, 0x00)]), 'malformed DER'],
] as const)('refuses %s', ([, certificates, why]) => {
  expect(refusalOf(() => parseX509Svid(certificates, key))).toContain(why)
})

test('any bytes are refused as such', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (certificates, pkcs8) => {
      survives(() => parseX509Svid(certificates, pkcs8), 'CERTIFICATE_MALFORMED')
      survives(() => parseX509Svid(chain, pkcs8), 'CERTIFICATE_MALFORMED')
    }),
  )
})

test.for([
  ['SPIRE', SPIRE_SVID, SPIRE_BUNDLE_PEM, 'spiffe://example.org/minted'],
  [
    'OpenSSL, with Ed25519 and P-521 keys',
    OPENSSL_LEAF,
    OPENSSL_ROOT,
    'spiffe://example.org/from-openssl',
  ],
] as const)('believes an X509-SVID of %s', ([, svid, root, id]) => {
  const bundle = {
    ...emptyBundle(parseTrustDomain('example.org')),
    x509Authorities: fromPem('CERTIFICATE', root).map((der) => ({ der, tainted: false })),
  }
  const verify = (now: Date) =>
    verifyX509Svid({ chain: fromPem('CERTIFICATE', svid), bundle, now, usage: 'clientAuth' })
  expect(verify(VECTORS_NOW).id).toBe(id)
  expect(refusalOf(() => verify(new Date('2300-01-01T00:00:00Z')))).toContain('expired')
})
