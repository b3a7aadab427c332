/** X509-SVID: each requirement that an issuer or validator must meet, by its number in the checklist. */
import { expect, test } from 'vitest'
import { formatBundleDocument, parseBundleDocument } from '../../spiffe/bundle/jwks.ts'
import { emptyBundle } from '../../spiffe/bundle.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import { createCaCertificate } from '../../spiffe/x509/ca-certificate.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { leafSigner } from '../../spiffe/x509/issue-leaf.ts'
import { encodeName } from '../../spiffe/x509/name.ts'
import { OID } from '../../spiffe/x509/oid.ts'
import { verifyPeer, verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { TEST_NOW, testCa } from '../fakes/ca.ts'
import { type CertificateFields, KEY_USAGE } from '../fakes/certificate.ts'
import { refusalOf } from '../spiffe/refusal.ts'

const ca = await testCa()
const issuerKey = await generateKey('ec-p256')
const issuer = {
  key: issuerKey,
  certificate: await createCaCertificate({
    key: issuerKey,
    trustDomain: ca.trustDomain,
    subject: { country: ['US'], organization: ['SPIFFE'], commonName: undefined },
    notBefore: new Date(TEST_NOW.getTime() - 10_000),
    notAfter: new Date(TEST_NOW.getTime() + 3_600_000),
    serial: Buffer.of(1),
  }),
}

async function issue(changes: { subject?: Buffer; keyType?: 'ec-p256' | 'rsa-2048' } = {}) {
  const { keyType = 'ec-p256', ...rest } = changes
  return parseCertificate(
    leafSigner(issuer)({
      spki: spkiOf(await generateKey(keyType)),
      id: parseSpiffeId('spiffe://example.org/a'),
      dnsNames: ['a.example.org'],
      notBefore: new Date(TEST_NOW.getTime() - 10_000),
      notAfter: new Date(TEST_NOW.getTime() + 60_000),
      serial: Buffer.of(2),
      ...rest,
    }),
  )
}

/** What a validator says of a leaf that is good but for these changes. */
async function verdict(changes: CertificateFields): Promise<string> {
  const { chain } = await ca.leaf('/a', changes)
  return refusalOf(() => verifyX509Svid({ chain, bundle: ca.bundle, now: TEST_NOW }))
}

test('X-1 §2: an SVID has exactly one URI SAN, and one with two is refused', async () => {
  expect((await issue()).uriSans).toEqual(['spiffe://example.org/a'])
  expect(
    await verdict({ uriSans: ['spiffe://example.org/a', 'spiffe://example.org/b'] }),
  ).toContain('2 URI SANs')
  expect(await verdict({ uriSans: ['spiffe://example.org/a', 'https://a'] })).toContain(
    '2 URI SANs',
  )
  expect(await verdict({ uriSans: [] })).toContain('no URI SAN')
})

test('X-3 §3.1: the ID of a leaf has a path', async () => {
  expect(await verdict({ uriSans: ['spiffe://example.org'] })).toContain('names a trust domain')
  const id = parseSpiffeId('spiffe://example.org')
  const { spki, notBefore, notAfter } = await issue()
  const fields = { spki, notBefore, notAfter, id, dnsNames: [], serial: Buffer.of(1) }
  expect(refusalOf(() => leafSigner(issuer)(fields))).toMatch('SPIFFE_ID_INVALID')
})

test('X-4 RFC 5280 §4.2.1.6: with an empty subject the alternative name is critical', () => {
  const { spki, notBefore, notAfter } = parseCertificate(ca.certificate)
  const id = parseSpiffeId('spiffe://example.org/a')
  const fields = { spki, notBefore, notAfter, id, dnsNames: [], serial: Buffer.of(1) }
  const leaf = leafSigner(issuer)({ ...fields, subject: encodeName({}) })
  expect(parseCertificate(leaf).isAltNameCritical).toBe(true)
})

test('X-5 §3.2: a signing certificate has the ID of its trust domain, and one with a path is refused', async () => {
  expect(parseCertificate(issuer.certificate).uriSans).toEqual(['spiffe://example.org'])
  const between = await ca.intermediate({ uriSans: ['spiffe://example.org/ca'] })
  const { chain } = await between.leaf()
  expect(refusalOf(() => verifyX509Svid({ chain, bundle: ca.bundle, now: TEST_NOW }))).toContain(
    'SPIFFE ID of a workload',
  )
})

test('X-6 §3.2: a signing certificate does not authenticate anybody', () => {
  const chain = [ca.certificate]
  expect(refusalOf(() => verifyX509Svid({ chain, bundle: ca.bundle, now: TEST_NOW }))).toMatch(
    'CERTIFICATE_UNTRUSTED',
  )
})

test('X-7 §4.1: cA is true in signing certificates and false in leaves', async () => {
  const authority = parseCertificate(issuer.certificate)
  expect([authority.isCa, authority.pathLength, (await issue()).isCa]).toEqual([
    true,
    undefined,
    false,
  ])
  const { chain } = await (await ca.intermediate({ isCa: false })).leaf()
  expect(refusalOf(() => verifyX509Svid({ chain, bundle: ca.bundle, now: TEST_NOW }))).toContain(
    'does not have the CA flag',
  )
})

test('X-9 §4.3: key usage is there and critical in all that is issued, and demanded of leaves', async () => {
  for (const issued of [parseCertificate(issuer.certificate), await issue()]) {
    expect([issued.keyUsage !== undefined, issued.isKeyUsageCritical]).toEqual([true, true])
  }
  expect(await verdict({ keyUsage: undefined })).toContain('no critical key usage')
  expect(await verdict({ keyUsageCritical: false })).toContain('no critical key usage')
})

test('X-10 §4.3: signing certificates have keyCertSign, and sign nothing without it', async () => {
  expect(parseCertificate(issuer.certificate).keyUsage).toContain('keyCertSign')
  const { chain } = await (await ca.intermediate({ keyUsage: KEY_USAGE.cRLSign })).leaf()
  expect(refusalOf(() => verifyX509Svid({ chain, bundle: ca.bundle, now: TEST_NOW }))).toContain(
    'lacks the key usage keyCertSign',
  )
})

test('X-11 §4.3: leaves have digitalSignature, and neither keyCertSign nor cRLSign', async () => {
  for (const keyType of ['ec-p256', 'rsa-2048'] as const) {
    const { keyUsage } = await issue({ keyType })
    expect(keyUsage).toContain('digitalSignature')
    expect(keyUsage).not.toContain('keyCertSign')
    expect(keyUsage).not.toContain('cRLSign')
  }
})

test('X-12 §4.4: the extended key usage of a leaf has both serverAuth and clientAuth', async () => {
  expect((await issue()).extKeyUsage).toEqual([OID.serverAuth, OID.clientAuth])
})

test('X-13 §5.1: a path is validated against the bundle of the trust domain in the ID alone', async () => {
  const partner = await testCa({ trustDomain: 'partner.org' })
  const { chain } = await partner.leaf('/a', { uriSans: ['spiffe://example.org/a'] })
  const bundles = new Map([ca, partner].map((one) => [one.trustDomain, one.bundle]))
  expect(refusalOf(() => verifyPeer({ chain, bundles, now: TEST_NOW }))).toMatch('UNTRUSTED')
  const good = await partner.leaf('/a')
  expect(verifyPeer({ chain: good.chain, bundles, now: TEST_NOW }).id).toBe(
    'spiffe://partner.org/a',
  )
})

test('X-14 §5.2: a leaf that is a CA, may sign, has another scheme or no path is refused', async () => {
  const { digitalSignature, keyCertSign, cRLSign } = KEY_USAGE
  const verdicts = await Promise.all(
    [
      { isCa: true },
      { keyUsage: digitalSignature | keyCertSign },
      { keyUsage: digitalSignature | cRLSign },
      { uriSans: ['https://example.org/a'] },
      { uriSans: ['spiffe://example.org'] },
      {},
    ].map(verdict),
  )
  expect(verdicts.map((one) => one.slice(0, 21))).toEqual([
    ...Array.from({ length: 5 }, () => 'CERTIFICATE_UNTRUSTED'),
    'accepted',
  ])
})

test('X-15 §6.1: a bundle entry has its use, no kid, and one certificate in base64', () => {
  const { keys } = JSON.parse(formatBundleDocument(ca.bundle))
  expect(keys).toMatchObject([
    { use: 'x509-svid', x5c: [Buffer.from(ca.certificate).toString('base64')] },
  ])
  expect(keys[0]).not.toHaveProperty('kid')
})

test('X-16 §6.2: entries without x5c are ignored, and so are all certificates but the first', async () => {
  const second = await testCa()
  const x5c = [ca, second].map((one) => Buffer.from(one.certificate).toString('base64'))
  const keys = [
    { kty: 'EC', use: 'x509-svid' },
    { kty: 'EC', use: 'x509-svid', x5c },
  ]
  expect(parseBundleDocument(JSON.stringify({ keys }), ca.trustDomain)).toEqual({
    ...emptyBundle(ca.trustDomain),
    x509Authorities: [{ der: Buffer.from(ca.certificate), tainted: false }],
  })
})
