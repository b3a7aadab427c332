import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { encode, sequence } from '../../../spiffe/x509/der-write.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { type VerifyX509Options, verifyPeer, verifyX509Svid } from '../../../spiffe/x509/verify.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { type CertificateFields, extension, KEY_USAGE } from '../../fakes/certificate.ts'
import { refusalOf, survives } from '../refusal.ts'

const ca = await testCa()
const partner = await testCa({ trustDomain: 'partner.org' })
const { bundle } = ca
const second = 1000
const day = 24 * 60 * 60 * second

const verdict = (chain: readonly Uint8Array[], changes: Partial<VerifyX509Options> = {}) =>
  refusalOf(() => verifyX509Svid({ chain, bundle, now: TEST_NOW, ...changes }))

test('believes a leaf that an authority of its trust domain signed', async () => {
  const leaf = await ca.leaf('/cart')
  const { id, path } = verifyX509Svid({ chain: leaf.chain, bundle, now: TEST_NOW })
  expect(id).toBe('spiffe://example.org/cart')
  expect(path.map(({ der }) => der)).toEqual([leaf.certificate, ca.certificate])
})

test('believes a leaf through intermediates in any order, with unneeded ones among them', async () => {
  const first = await ca.intermediate()
  const second = await first.intermediate()
  const stranger = await partner.intermediate()
  const { certificate } = await second.leaf()
  const others = [first, stranger, ca, second].map((one) => one.certificate)
  expect(verdict([certificate, ...others])).toBe('accepted')
})

test.for(['ec-p256', 'ec-p384', 'rsa-2048'] as const)(
  'believes %s authorities',
  async (keyType) => {
    const other = await testCa({ keyType })
    const { chain } = await other.leaf('/a', { keyType })
    expect(verdict(chain, { bundle: other.bundle })).toBe('accepted')
  },
)

test('believes RSASSA-PSS with matching hashes, refuses SHA-1', async () => {
  const rsa = await testCa({ keyType: 'rsa-2048' })
  const sign = async (signingAlgorithm: object) => {
    const { chain } = await rsa.leaf('/a', { signingAlgorithm })
    return verdict(chain, { bundle: rsa.bundle })
  }
  expect(await sign({ name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 })).toBe('accepted')
  expect(await sign({ name: 'RSA-PSS', hash: 'SHA-512', saltLength: 64 })).toBe('accepted')
  expect(await sign({ name: 'RSA-PSS', hash: 'SHA-256', saltLength: 20 })).toContain('not accepted')
  expect(await sign({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' })).toBe('accepted')
  expect(await sign({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' })).toContain('e.g. SHA-1')
  const { chain } = await ca.leaf('/a', { signingAlgorithm: { name: 'ECDSA', hash: 'SHA-1' } })
  expect(verdict(chain)).toContain('e.g. SHA-1')
})

test('refuses an authority with an RSA key of 1024 bits', async () => {
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const weak = await testCa({ key })
  const { chain } = await weak.leaf()
  expect(verdict(chain, { bundle: weak.bundle })).toContain('RSA key of 1024 bits')
})

test('a tainted authority still vouches until it is revoked', async () => {
  const { chain } = await ca.leaf()
  const x509Authorities = bundle.x509Authorities.map((one) => ({ ...one, tainted: true }))
  expect(verdict(chain, { bundle: { ...bundle, x509Authorities } })).toBe('accepted')
  expect(verdict(chain, { bundle: { ...bundle, x509Authorities: [] } })).toContain(
    'signed by unknown authority',
  )
})

test('an authority that cannot be read vouches for nobody, and does not stop the others', async () => {
  const { chain } = await ca.leaf()
  const broken = { der: Buffer.from('broken'), tainted: false }
  const x509Authorities = [broken, ...bundle.x509Authorities]
  expect(verdict(chain, { bundle: { ...bundle, x509Authorities } })).toBe('accepted')
})

test('refuses an ID of ours that the authority of another trust domain signed', async () => {
  const { chain } = await partner.leaf('/a', { uriSans: ['spiffe://example.org/admin'] })
  expect(verdict(chain)).toContain('signed by unknown authority')
  expect(verdict(chain, { bundle: partner.bundle })).toBe(
    'CERTIFICATE_UNTRUSTED: spiffe://example.org/admin cannot be vouched for by the bundle of "partner.org"',
  )
  const bundles = new Map([ca, partner].map((one) => [one.trustDomain, one.bundle]))
  expect(refusalOf(() => verifyPeer({ chain, bundles, now: TEST_NOW }))).toContain(
    'could not verify spiffe://example.org/admin',
  )
})

test('a peer is checked with the bundle of its own trust domain, and refused without one', async () => {
  const { chain } = await partner.leaf('/a')
  const bundles = new Map([ca, partner].map((one) => [one.trustDomain, one.bundle]))
  expect(verifyPeer({ chain, bundles, now: TEST_NOW }).id).toBe('spiffe://partner.org/a')
  bundles.delete(parseTrustDomain('partner.org'))
  expect(refusalOf(() => verifyPeer({ chain, bundles, now: TEST_NOW }))).toBe(
    'CERTIFICATE_UNTRUSTED: no bundle found for trust domain "partner.org"',
  )
})

test('a source that answers with the bundle of another trust domain is not believed', async () => {
  const { chain } = await partner.leaf('/a', { uriSans: ['spiffe://example.org/a'] })
  const bundles = { get: (): Bundle => partner.bundle }
  expect(refusalOf(() => verifyPeer({ chain, bundles, now: TEST_NOW }))).toContain(
    'cannot be vouched for',
  )
})

const { digitalSignature, keyCertSign, cRLSign, keyEncipherment } = KEY_USAGE

const badLeaves: readonly (readonly [string, CertificateFields, string])[] = [
  ['without a URI SAN', { uriSans: [] }, 'no URI SAN'],
  ['with two URI SANs', { uriSans: ['spiffe://example.org/a', 'spiffe://example.org/b'] }, '2 URI'],
  ['with another scheme', { uriSans: ['https://example.org/a'] }, 'malformed URI SAN'],
  ['with an upper-case host', { uriSans: ['spiffe://Example.org/a'] }, 'malformed URI SAN'],
  ['without a path', { uriSans: ['spiffe://example.org'] }, 'names a trust domain'],
  ['that is a CA', { isCa: true }, 'CA flag'],
  ['without key usage', { keyUsage: undefined }, 'no critical key usage'],
  ['whose key usage is not critical', { keyUsageCritical: false }, 'no critical key usage'],
  ['with keyCertSign', { keyUsage: digitalSignature | keyCertSign }, 'keyCertSign'],
  ['with cRLSign', { keyUsage: digitalSignature | cRLSign }, 'cRLSign'],
  ['without digitalSignature', { keyUsage: keyEncipherment }, 'digitalSignature'],
  [
    'not valid yet',
    { notBefore: new Date(TEST_NOW.getTime() + second) },
    'leaf certificate is not valid before',
  ],
  ['expired', { notAfter: new Date(TEST_NOW.getTime() - second) }, 'leaf certificate expired at'],
  [
    'with an unknown critical extension',
    { extensions: [extension('1.2.3.4', sequence())] },
    'critical extensions that are not supported: 1.2.3.4',
  ],
]

test.for(badLeaves)('refuses a leaf %s', async ([, fields, why]) => {
  const { chain } = await ca.leaf('/a', fields)
  expect(verdict(chain)).toMatch('CERTIFICATE_UNTRUSTED: ')
  expect(verdict(chain)).toContain(why)
})

const badIntermediates: readonly (readonly [string, CertificateFields, string])[] = [
  ['that is no CA', { isCa: false }, 'does not have the CA flag'],
  ['without keyCertSign', { keyUsage: cRLSign }, 'lacks the key usage keyCertSign'],
  ['without key usage', { keyUsage: undefined }, 'lacks the key usage keyCertSign'],
  ['that is expired', { notAfter: new Date(TEST_NOW.getTime() - second) }, 'expired at'],
  [
    'that is not valid yet',
    { notBefore: new Date(TEST_NOW.getTime() + second) },
    'not valid before',
  ],
  ['with the ID of a workload', { uriSans: ['spiffe://example.org/a'] }, 'SPIFFE ID of a workload'],
  ['with a broken ID', { uriSans: ['spiffe://example.org/a//b'] }, 'SPIFFE ID of a workload'],
  [
    'with an unknown critical extension',
    { extensions: [extension('2.5.29.36', sequence())] },
    'critical extensions that are not supported: 2.5.29.36',
  ],
]

test.for(badIntermediates)('refuses an intermediate %s', async ([, fields, why]) => {
  const { chain } = await (await ca.intermediate(fields)).leaf()
  expect(verdict(chain)).toContain('intermediate certificate')
  expect(verdict(chain)).toContain(why)
})

const badRoots: readonly (readonly [string, CertificateFields, string])[] = [
  ['that is no CA', { isCa: false }, 'does not have the CA flag'],
  ['without keyCertSign', { keyUsage: digitalSignature }, 'lacks the key usage keyCertSign'],
  ['that is expired', { notAfter: new Date(TEST_NOW.getTime() - second) }, 'expired at'],
  [
    'that is not valid yet',
    { notBefore: new Date(TEST_NOW.getTime() + second) },
    'not valid before',
  ],
  ['with the ID of a workload', { uriSans: ['spiffe://example.org/a'] }, 'SPIFFE ID of a workload'],
]

test.for(badRoots)('refuses an authority %s', async ([, fields, why]) => {
  const other = await testCa(fields)
  const { chain } = await other.leaf()
  expect(verdict(chain, { bundle: other.bundle })).toContain(`authority certificate`)
  expect(verdict(chain, { bundle: other.bundle })).toContain(why)
})

test('a root made by hand, without key usage and without an ID, is believed', async () => {
  const other = await testCa({ keyUsage: undefined, uriSans: [] })
  expect(verdict((await other.leaf()).chain, { bundle: other.bundle })).toBe('accepted')
})

test('path lengths bound the intermediates beneath, self-issued ones left out', async () => {
  const root = await testCa({ pathLength: 1 })
  const first = await root.intermediate()
  const second = await first.intermediate()
  const check = async (from: typeof root) =>
    verdict((await from.leaf()).chain, { bundle: root.bundle })
  expect(await check(first)).toBe('accepted')
  expect(await check(second)).toContain('allows 1 CA certificates below it, there are 2')
  const name = { subject: 'C=US, O=Same' }
  const selfNamed = await testCa({ pathLength: 0, ...name })
  const renewed = await selfNamed.intermediate(name)
  const { chain } = await renewed.leaf()
  expect(verdict(chain, { bundle: selfNamed.bundle })).toBe('accepted')
})

test('a CA is refused as a leaf, even one that the bundle holds', () => {
  expect(verdict([ca.certificate])).toContain('names a trust domain')
})

test('a self-signed leaf vouches for nobody, also when it brings itself as a CA', async () => {
  const evil = await testCa()
  const { chain } = await evil.leaf()
  expect(verdict(chain)).toContain('signed by unknown authority')
  expect(verdict([...chain, evil.certificate])).toContain('signed by unknown authority')
})

test('the name of an authority is not enough: its key must have signed', async () => {
  const first = await testCa({ subject: 'C=US, O=Same' })
  const second = await testCa({ subject: 'C=US, O=Same' })
  const { chain } = await second.leaf()
  expect(verdict(chain, { bundle: first.bundle })).toContain(
    'has the name of the issuer and did not sign',
  )
  const both = [...first.bundle.x509Authorities, ...second.bundle.x509Authorities]
  expect(verdict(chain, { bundle: { ...first.bundle, x509Authorities: both } })).toBe('accepted')
})

test('a chain is bounded in length, and so is the path', async () => {
  const { chain } = await ca.leaf()
  const long = Array.from({ length: 17 }, () => chain[0] ?? new Uint8Array())
  expect(verdict(long.slice(1))).toBe('accepted')
  expect(verdict(long)).toBe('CERTIFICATE_UNTRUSTED: 17 certificates were presented, at most 16')
  let deep = ca
  for (let level = 0; level < 9; level++) deep = await deep.intermediate()
  expect(verdict((await deep.leaf()).chain)).toContain('chain is longer than 10')
})

test('a peer cannot make us check signatures without end', async () => {
  // One name, four keys, and each key signed by each other: every order of them is a path to try.
  const name = { subject: 'C=US, O=Maze' }
  const corners = await Promise.all(Array.from({ length: 4 }, () => testCa(name)))
  const pairs = corners.flatMap((signer) =>
    corners.filter((one) => one !== signer).map(({ key }) => signer.intermediate({ ...name, key })),
  )
  const maze = (await Promise.all(pairs)).map((one) => one.certificate)
  const leaf = await corners[0]?.leaf()
  expect(verdict([leaf?.certificate ?? new Uint8Array(), ...maze])).toContain(
    'no path was found with 64 signature checks, no more are made',
  )
})

test('of many authorities with one name, the one whose key identifier fits is tried first', async () => {
  const name = { subject: 'C=US, O=Crowd' }
  const crowd = await Promise.all(Array.from({ length: 70 }, () => testCa(name)))
  const x509Authorities = crowd.flatMap((one) => one.bundle.x509Authorities)
  const leaf = await crowd.at(-1)?.leaf()
  expect(verdict(leaf?.chain ?? [], { bundle: { ...bundle, x509Authorities } })).toBe('accepted')
})

test('a CA may carry its name from one key to the next', async () => {
  const name = { subject: 'C=US, O=Between' }
  const renewed = await (await ca.intermediate(name)).intermediate(name)
  expect(verdict((await renewed.leaf()).chain)).toBe('accepted')
})

test('an intermediate may have names that are no SPIFFE IDs, or none', async () => {
  for (const uriSans of [[], ['https://ca.example.org/']]) {
    expect(verdict((await (await ca.intermediate({ uriSans })).leaf()).chain)).toBe('accepted')
  }
})

test('cross-signed intermediates that sign each other end', async () => {
  const one = await ca.intermediate({ subject: 'CN=one' })
  const two = await one.intermediate({ subject: 'CN=two' })
  const oneByTwo = await two.intermediate({ subject: 'CN=one', key: one.key })
  const { certificate } = await oneByTwo.leaf()
  expect(verdict([certificate, oneByTwo.certificate, two.certificate])).toMatch('UNTRUSTED')
  const all = [certificate, oneByTwo.certificate, two.certificate, one.certificate]
  expect(verdict(all)).toBe('accepted')
})

test('an extended key usage on the way must include the purpose that is asked for', async () => {
  const server = { extKeyUsage: [OID.serverAuth] }
  const { chain } = await ca.leaf('/a', server)
  expect(verdict(chain)).toBe('accepted')
  expect(verdict(chain, { usage: 'serverAuth' })).toBe('accepted')
  expect(verdict(chain, { usage: 'clientAuth' })).toContain('extended key usage without clientAuth')
  const below = await (await ca.intermediate(server)).leaf()
  expect(verdict(below.chain, { usage: 'clientAuth' })).toContain('intermediate certificate has an')
  const any = await ca.leaf('/a', { extKeyUsage: [OID.anyExtKeyUsage] })
  expect(verdict(any.chain, { usage: 'clientAuth' })).toBe('accepted')
  const none = await ca.leaf('/a', { extKeyUsage: undefined })
  expect(verdict(none.chain, { usage: 'clientAuth' })).toBe('accepted')
})

test('refuses an empty chain and bytes that are no certificate', () => {
  expect(verdict([])).toBe('CERTIFICATE_UNTRUSTED: no certificate was presented')
  expect(verdict([Buffer.from('x')])).toMatch('CERTIFICATE_MALFORMED')
})

test('name constraints of an authority bind everything beneath it', async () => {
  const constraint = (base: string) =>
    sequence(encode(0xa0, sequence(encode(0x86, Buffer.from(base)))))
  const rootOf = (base: string) =>
    testCa({ extensions: [extension(OID.nameConstraints, constraint(base))] })
  const good = await rootOf('example.org')
  expect(verdict((await good.leaf()).chain, { bundle: good.bundle })).toBe('accepted')
  const between = await good.intermediate()
  expect(verdict((await between.leaf()).chain, { bundle: good.bundle })).toBe('accepted')
  const bad = await rootOf('other.org')
  expect(verdict((await bad.leaf()).chain, { bundle: bad.bundle })).toContain(
    'name constraints do not permit spiffe://example.org/workload',
  )
  const broken = await testCa({ extensions: [extension(OID.nameConstraints, Buffer.of(1))] })
  expect(verdict((await broken.leaf()).chain, { bundle: broken.bundle })).toContain(
    'name constraints that cannot be read',
  )
})

test('is valid from its first to its last second', async () => {
  const { chain } = await ca.leaf('/a', {
    notBefore: TEST_NOW,
    notAfter: new Date(TEST_NOW.getTime() + day / 4),
  })
  const at = (offset: number) => verdict(chain, { now: new Date(TEST_NOW.getTime() + offset) })
  expect(at(-1)).toContain('not valid before')
  expect([at(0), at(day / 4)]).toEqual(['accepted', 'accepted'])
  expect(at(day / 4 + 1)).toContain('expired')
})

test('a time that is none is refused', async () => {
  const { chain } = await ca.leaf()
  const now = new Date(Number.NaN)
  expect(() => verifyX509Svid({ chain, bundle, now })).toThrow()
})

test('no byte of a chain can be changed without its being refused', async () => {
  const { chain } = await (await ca.intermediate()).leaf()
  const [leaf = new Uint8Array(), intermediate = new Uint8Array()] = chain
  const flip = (bytes: Uint8Array, at: number, bit: number) => {
    const changed = Buffer.from(bytes)
    changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ (1 << bit)
    return changed
  }
  fc.assert(
    fc.property(fc.boolean(), fc.nat(2000), fc.nat(7), (isLeaf, at, bit) => {
      const changed = isLeaf
        ? [flip(leaf, at, bit), intermediate]
        : [leaf, flip(intermediate, at, bit)]
      expect(verdict(changed)).not.toBe('accepted')
    }),
    { numRuns: 150 },
  )
})

test('any bytes as a chain are refused as such, never with another error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), (chain) => {
      survives(
        () => verifyX509Svid({ chain, bundle, now: TEST_NOW }),
        'CERTIFICATE_MALFORMED',
        'CERTIFICATE_UNTRUSTED',
      )
    }),
  )
})
