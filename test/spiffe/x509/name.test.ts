import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { expect, test } from 'vitest'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { oid, sequence, set } from '../../../spiffe/x509/der-write.ts'
import {
  commonNameOf,
  encodeName,
  isEmptyName,
  SVID_SUBJECT,
  withCommonName,
} from '../../../spiffe/x509/name.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { makeCertificate } from '../../fakes/certificate.ts'
import { refusalOf } from '../refusal.ts'

const textOf = (der: Uint8Array) => new x509.Name(new Uint8Array(der).buffer).toString()

test('parts stand in the order in which Go writes them', () => {
  const name = encodeName({
    serialNumber: '7',
    commonName: 'ca',
    organization: ['SPIFFE'],
    country: ['US'],
  })
  expect(textOf(name)).toBe('C=US, O=SPIFFE, CN=ca, 2.5.4.5=7')
})

test('several values of one kind share one part, sorted as DER demands', () => {
  const name = encodeName({ country: ['US', 'DE'] })
  expect(textOf(name)).toBe('C=DE+C=US')
})

test('text that is not printable in the sense of ASN.1 is written as UTF-8', () => {
  const tagOf = (commonName: string) => encodeName({ commonName })[11]
  expect(['a.example.org', '*.example.org', 'ä', 'a_b'].map(tagOf)).toEqual([0x13, 0xc, 0xc, 0xc])
})

test('a common name takes the place of any other', () => {
  expect(textOf(withCommonName(SVID_SUBJECT, 'a.b'))).toBe('C=US, O=SPIRE, CN=a.b')
  const named = encodeName({ organization: ['X'], commonName: 'old', serialNumber: '1' })
  expect(textOf(withCommonName(named, 'new'))).toBe('O=X, 2.5.4.5=1, CN=new')
})

test('a DNS name longer than a common name may be leaves none', () => {
  const long = `${'a'.repeat(60)}.example.org`
  expect(withCommonName(SVID_SUBJECT, long)).toEqual(SVID_SUBJECT)
})

test('knows an empty name, and refuses what is none', () => {
  expect([isEmptyName(encodeName({})), isEmptyName(SVID_SUBJECT)]).toEqual([true, false])
  expect(refusalOf(() => isEmptyName(Buffer.of(1)))).toMatch('CERTIFICATE_MALFORMED')
})

test.for([
  ['CN=node1', 'node1'],
  ['O=org, CN=node one', 'node one'],
  ['CN=first, CN=last', 'last'],
  ['CN=ü', 'ü'],
  ['O=nameless', undefined],
])('the common name of %s is %s', async ([subject = '', name]) => {
  const { certificate } = await makeCertificate(undefined, { subject })
  expect(commonNameOf(parseCertificate(certificate).subject)).toBe(name)
})

test.for([
  ['of a kind nobody writes', '1e040061'],
  ['that is not UTF-8', '0c02c328'],
])('a common name %s is refused', ([, value = '']) => {
  const attribute = sequence(oid(OID.commonName), Buffer.from(value, 'hex'))
  expect(() => commonNameOf(sequence(set(attribute)))).toThrow(
    expect.objectContaining({ code: 'CERTIFICATE_MALFORMED' }),
  )
})
