import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Certificate,
  parseCertificate,
  parseCertificates,
  publicKeyOf,
} from '../../../spiffe/x509/certificate.ts'
import { readOnly, TAG } from '../../../spiffe/x509/der.ts'
import { boolean, encode, integer, octets, oid, sequence } from '../../../spiffe/x509/der-write.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { testCa } from '../../fakes/ca.ts'
import { extension, KEY_USAGE } from '../../fakes/certificate.ts'
import { refusalOf, survives } from '../refusal.ts'

const ca = await testCa()
const { certificate: der } = await ca.leaf('/cart', {
  dnsNames: ['cart.example.org', 'cart'],
  keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.decipherOnly,
})

test('reads what OpenSSL reads', () => {
  const ours = parseCertificate(der)
  const theirs = new X509Certificate(der)
  expect(ours.serialHex.toUpperCase()).toBe(theirs.serialNumber)
  expect(ours.serial).toBe(BigInt(`0x${theirs.serialNumber}`))
  expect(ours.notBefore).toEqual(theirs.validFromDate)
  expect(ours.notAfter).toEqual(theirs.validToDate)
  expect(publicKeyOf(ours).equals(theirs.publicKey)).toBe(true)
  expect(theirs.subjectAltName).toBe(
    'DNS:cart.example.org, DNS:cart, URI:spiffe://example.org/cart',
  )
  expect(ours.uriSans).toEqual(['spiffe://example.org/cart'])
  expect(ours.dnsNames).toEqual(['cart.example.org', 'cart'])
})

test('reads names, key usages and key identifiers', () => {
  const leaf = parseCertificate(der)
  const root = parseCertificate(ca.certificate)
  expect([...(leaf.keyUsage ?? [])]).toEqual(['digitalSignature', 'decipherOnly'])
  expect(leaf.isKeyUsageCritical).toBe(true)
  expect(leaf.extKeyUsage).toEqual([OID.serverAuth, OID.clientAuth])
  expect(leaf.issuer).toEqual(root.subject)
  expect(leaf.authorityKeyId).toBe(root.subjectKeyId)
  expect([leaf.isCa, root.isCa, root.pathLength]).toEqual([false, true, undefined])
  expect([...(root.keyUsage ?? [])]).toEqual(['keyCertSign', 'cRLSign'])
})

test('reports the critical extensions that it does not understand', async () => {
  const { certificate } = await ca.leaf('/a', {
    extensions: [extension('1.2.3.4', sequence()), extension('1.2.3.5', sequence(), false)],
  })
  expect(parseCertificate(certificate).unhandledCritical).toEqual(['1.2.3.4'])
})

test('reads several certificates written one after another, and none from nothing', () => {
  const both = Buffer.concat([der, ca.certificate])
  expect(parseCertificates(both).map((one) => Buffer.from(one.der))).toEqual([der, ca.certificate])
  expect(parseCertificates(new Uint8Array())).toEqual([])
})

/** Puts other fields in place of those of a good certificate; the signature is not looked at. */
function rebuild(change: (fields: Buffer[]) => Buffer[], algorithm?: Buffer): Buffer {
  const parts = split(der)
  const [tbs = Buffer.alloc(0), outer = Buffer.alloc(0), signature = Buffer.alloc(0)] = parts
  return sequence(sequence(...change(split(tbs))), algorithm ?? outer, signature)
}

function split(sequenceDer: Uint8Array): Buffer[] {
  const { value } = readOnly(sequenceDer, TAG.sequence)
  const parts: Buffer[] = []
  for (let offset = 0; offset < value.length; ) {
    const length = lengthAt(value, offset)
    parts.push(Buffer.from(value.subarray(offset, offset + length)))
    offset += length
  }
  return parts
}

function lengthAt(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset + 1] ?? 0
  if (first < 0x80) return 2 + first
  const count = first & 0x7f
  return 2 + count + Buffer.from(bytes).readUIntBE(offset + 2, count)
}

const at = (index: number, other: Buffer) => (fields: Buffer[]) => fields.with(index, other)
const withExtensions = (...extensions: Buffer[]) => at(7, encode(0xa3, sequence(...extensions)))
const some = (id: string, value: Buffer) => sequence(oid(id), octets(value))

test.for([
  ['version 1', rebuild((fields) => fields.slice(1, 7)), 'not an X.509 certificate of version 3'],
  ['version 2', rebuild(at(0, encode(0xa0, integer(Buffer.of(1))))), 'of version 3'],
  ['a negative serial', rebuild(at(1, Buffer.from('0201ff', 'hex'))), 'negative integer'],
  ['a serial of 30 bytes', rebuild(at(1, integer(Buffer.alloc(30, 1)))), 'longer than 21 bytes'],
  [
    'two signature algorithms',
    rebuild((fields) => fields, sequence(oid(OID.ecdsaSha512))),
    'two different signature algorithms',
  ],
  ['a time that is none', rebuild(at(4, sequence(octets(Buffer.alloc(1))))), 'expected 0x18'],
  ['no subject', rebuild((fields) => fields.toSpliced(5, 1)), 'expected 0x30'],
  ['a field too many', rebuild((fields) => [...fields, boolean(true)]), 'a value too many'],
  [
    'an extension twice',
    rebuild(withExtensions(some('1.2.3', sequence()), some('1.2.3', sequence()))),
    'extension 1.2.3 twice',
  ],
  [
    'an empty alternative name',
    rebuild(withExtensions(some(OID.subjectAltName, sequence()))),
    'empty subject alternative name',
  ],
  [
    'a NUL in a name',
    rebuild(
      withExtensions(
        some(OID.subjectAltName, sequence(encode(0x86, Buffer.from('spiffe://a/b\0.evil')))),
      ),
    ),
    'not printable ASCII',
  ],
  [
    'a key usage that is no bit string',
    rebuild(withExtensions(some(OID.keyUsage, boolean(true)))),
    'expected 0x3',
  ],
  ['bytes after its end', Buffer.concat([der, Buffer.of(0)]), 'bytes follow its end'],
  ['half of it', der.subarray(0, der.length / 2), 'ends early'],
  ['nothing', Buffer.alloc(0), 'ends early'],
  ['a giant one', Buffer.alloc(70_000), 'longer than 65536 bytes'],
] as const)('refuses a certificate with %s', ([, bad, why]) => {
  expect(refusalOf(() => parseCertificate(bad))).toMatch('CERTIFICATE_MALFORMED: ')
  expect(refusalOf(() => parseCertificate(bad))).toContain(why)
})

test('takes the obsolete unique identifiers without a meaning', () => {
  const unique = (tag: number) => encode(tag, Buffer.of(0, 1))
  const with2 = rebuild((fields) => fields.toSpliced(7, 0, unique(0x81), unique(0x82)))
  expect(parseCertificate(with2).uriSans).toEqual(['spiffe://example.org/cart'])
})

test('a certificate changed anywhere is read or refused, never anything else', () => {
  const change = fc.record({
    at: fc.nat(der.length - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    cut: fc.nat(8),
  })
  fc.assert(
    fc.property(change, ({ at: index, bytes, cut }) => {
      const changed = Buffer.concat([der.subarray(0, index), bytes, der.subarray(index + cut)])
      survives(() => publicKeyOf(parseCertificate(changed)), 'CERTIFICATE_MALFORMED')
      survives(() => parseCertificates(changed), 'CERTIFICATE_MALFORMED')
    }),
    { numRuns: 1000 },
  )
})

test('every byte of a certificate may be flipped without another error than a refusal', () => {
  const seen: (Certificate | undefined)[] = []
  for (let index = 0; index < der.length; index++) {
    const changed = Buffer.from(der)
    changed[index] = (changed[index] ?? 0) ^ 0xff
    survives(() => seen.push(parseCertificate(changed)), 'CERTIFICATE_MALFORMED')
  }
  expect(seen.length).toBeLessThan(der.length)
})
