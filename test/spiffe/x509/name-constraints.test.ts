import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { encode, integer, octets, sequence } from '../../../spiffe/x509/der-write.ts'
import { wrongWithNames } from '../../../spiffe/x509/name-constraints.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { testCa } from '../../fakes/ca.ts'
import { extension } from '../../fakes/certificate.ts'
import { refusalOf, survives } from '../refusal.ts'

const ca = await testCa()

const DNS = 0x82
const URI = 0x86
const IP = 0x87
const DIRECTORY = 0xa4

const subtree = (form: number, base: string) => sequence(encode(form, Buffer.from(base, 'latin1')))
const permit = (form: number, ...bases: string[]) =>
  sequence(encode(0xa0, ...bases.map((base) => subtree(form, base))))
const exclude = (form: number, ...bases: string[]) =>
  sequence(encode(0xa1, ...bases.map((base) => subtree(form, base))))

async function leafOf(uri: string, dnsNames: readonly string[] = []) {
  return parseCertificate((await ca.leaf('/a', { uriSans: [uri], dnsNames })).certificate)
}

test.for([
  ['example.org', 'spiffe://example.org/a', true],
  ['EXAMPLE.org', 'spiffe://example.org/a', true],
  ['example.org', 'spiffe://sub.example.org/a', false],
  ['.example.org', 'spiffe://sub.example.org/a', true],
  ['.example.org', 'spiffe://example.org/a', false],
  ['.example.org', 'spiffe://badexample.org/a', false],
  ['other.org', 'spiffe://example.org/a', false],
  ['', 'spiffe://example.org/a', true],
  ['1.2.3.4', 'spiffe://1.2.3.4/a', false],
] as const)('permitting the URI host %j, lets %s through: %s', async ([base, uri, expected]) => {
  expect(wrongWithNames(permit(URI, base), await leafOf(uri)) === undefined).toBe(expected)
})

test.for([
  ['example.org', 'spiffe://example.org/a', false],
  ['example.org', 'spiffe://sub.example.org/a', false],
  ['.example.org', 'spiffe://sub.example.org/a', false],
  ['example.org', 'spiffe://badexample.org/a', true],
  ['', 'spiffe://example.org/a', false],
  ['other.org', 'spiffe://1.2.3.4/a', false],
] as const)('excluding the URI host %j, lets %s through: %s', async ([base, uri, expected]) => {
  expect(wrongWithNames(exclude(URI, base), await leafOf(uri)) === undefined).toBe(expected)
})

test.for([
  ['example.org', 'a.example.org', true],
  ['example.org', 'Example.ORG', true],
  ['example.org', '*.example.org', true],
  ['a.example.org', '*.example.org', false],
  ['example.org', 'badexample.org', false],
] as const)('permitting the DNS name %s, lets %s through: %s', async ([base, name, expected]) => {
  const leaf = await leafOf('spiffe://example.org/a', [name])
  expect(wrongWithNames(permit(DNS, base), leaf) === undefined).toBe(expected)
})

test.for([
  ['example.org', 'a.example.org', false],
  ['a.example.org', '*.example.org', false],
  ['a.example.org', 'b.example.org', true],
] as const)('excluding the DNS name %s, lets %s through: %s', async ([base, name, expected]) => {
  const leaf = await leafOf('spiffe://example.org/a', [name])
  expect(wrongWithNames(exclude(DNS, base), leaf) === undefined).toBe(expected)
})

test('a constraint on one form of name says nothing about another', async () => {
  const leaf = await leafOf('spiffe://example.org/a', ['a.example.org'])
  expect(wrongWithNames(permit(DNS, 'example.org'), leaf)).toBeUndefined()
  expect(wrongWithNames(permit(URI, 'example.org'), leaf)).toBeUndefined()
})

test('where URIs are not constrained, any trust domain is let through', async () => {
  const leaf = await leafOf('spiffe://1.2.3.4/a')
  expect(wrongWithNames(permit(DNS, 'example.org'), leaf)).toBeUndefined()
})

test('one of several permitted names is enough', async () => {
  const leaf = await leafOf('spiffe://example.org/a')
  expect(wrongWithNames(permit(URI, 'other.org', 'example.org'), leaf)).toBeUndefined()
})

test('constraints on directory names are not understood, so they refuse', async () => {
  const leaf = await leafOf('spiffe://example.org/a')
  expect(wrongWithNames(exclude(DIRECTORY, ''), leaf)).toContain('a kind that is not supported')
})

test('constraints on IP addresses bite only where there is an address, and then refuse', async () => {
  const constraint = exclude(IP, '\0\0\0\0\0\0\0\0')
  const leaf = await leafOf('spiffe://example.org/a')
  expect(wrongWithNames(constraint, leaf)).toBeUndefined()
  const names = sequence(
    encode(URI, Buffer.from('spiffe://example.org/a')),
    encode(IP, Buffer.of(10, 0, 0, 1)),
  )
  const { certificate } = await ca.leaf('/a', {
    uriSans: [],
    extensions: [extension(OID.subjectAltName, names)],
  })
  expect(wrongWithNames(constraint, parseCertificate(certificate))).toContain('IP addresses')
})

test.for([
  ['with a minimum', sequence(encode(0xa0, sequence(encode(URI), encode(0x80, Buffer.of(1)))))],
  ['without a name', sequence(encode(0xa0, sequence()))],
  ['that are something else', integer(Buffer.of(1))],
  ['with a third list', sequence(encode(0xa2, octets(Buffer.alloc(0))))],
] as const)('refuses constraints %s', async ([, value]) => {
  const leaf = await leafOf('spiffe://example.org/a')
  expect(refusalOf(() => wrongWithNames(value, leaf))).toMatch('CERTIFICATE_MALFORMED')
})

test('any bytes as constraints are read or refused, never anything else', async () => {
  const leaf = await leafOf('spiffe://example.org/a', ['a.example.org'])
  const parts = fc.array(
    fc.record({
      list: fc.constantFrom(0xa0, 0xa1, 0xa2),
      form: fc.constantFrom(0x81, DNS, URI, IP, DIRECTORY),
      base: fc.string({ maxLength: 8 }),
    }),
    { maxLength: 3 },
  )
  fc.assert(
    fc.property(parts, fc.uint8Array({ maxLength: 30 }), (all, noise) => {
      const built = all.map(({ list, form, base }) => encode(list, subtree(form, base)))
      survives(() => wrongWithNames(sequence(...built), leaf), 'CERTIFICATE_MALFORMED')
      survives(() => wrongWithNames(noise, leaf), 'CERTIFICATE_MALFORMED')
    }),
  )
})
