import 'reflect-metadata'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { expect, test } from 'vitest'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import {
  type CaCertificateParams,
  createCaCertificate,
  createDownstreamCa,
} from '../../../spiffe/x509/ca-certificate.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { authorityIdOf, keyIdOf } from '../../../spiffe/x509/key-id.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import { SPIRE_BUNDLE_PEM } from '../../vectors/foreign-documents.ts'
import { refusalOfAsync } from '../refusal.ts'

const params: CaCertificateParams = {
  key: await generateKey('ec-p256'),
  trustDomain: parseTrustDomain('example.org'),
  subject: { country: ['US'], organization: ['SPIFFE'], commonName: undefined },
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2026-01-02T00:00:00Z'),
  serial: Buffer.from('f0000000000000000000000000000001', 'hex'),
}

const theirs = (der: Uint8Array) => new x509.X509Certificate(new Uint8Array(der).buffer)

test('has the name, serial number, validity and ID that were asked for', async () => {
  const der = await createCaCertificate(params)
  const ca = parseCertificate(der)
  expect(theirs(der).subject).toBe(`C=US, O=SPIFFE, 2.5.4.5=${0xf0000000000000000000000000000001n}`)
  expect(ca.serial).toBe(0xf0000000000000000000000000000001n)
  expect(ca.issuer).toEqual(ca.subject)
  expect([ca.notBefore, ca.notAfter]).toEqual([params.notBefore, params.notAfter])
  expect(ca.uriSans).toEqual(['spiffe://example.org'])
  expect(Buffer.from(ca.spki)).toEqual(spkiOf(params.key))
})

test('has the same extensions in the same order as the certificate of a real SPIRE server', async () => {
  const [spire = Buffer.alloc(0)] = fromPem('CERTIFICATE', SPIRE_BUNDLE_PEM)
  const shape = (der: Uint8Array) =>
    theirs(der).extensions.map(({ type, critical, value }) => [
      type,
      critical,
      type === '2.5.29.14' ? value.byteLength : Buffer.from(value).toString('hex'),
    ])
  expect(shape(await createCaCertificate(params))).toEqual(shape(spire))
})

for (const type of ['ec-p256', 'ec-p384', 'rsa-2048'] as const) {
  test(`a ${type} authority signs itself`, async () => {
    const key = await generateKey(type)
    const root = new X509Certificate(await createCaCertificate({ ...params, key }))
    expect([root.ca, root.checkIssued(root), root.verify(root.publicKey)]).toEqual([
      true,
      true,
      true,
    ])
  })
}

test('every part of the subject may be given', async () => {
  const subject = { country: ['DE', 'US'], organization: ['Shop'], commonName: 'Müller CA' }
  const der = await createCaCertificate({ ...params, subject, serial: Buffer.of(7) })
  expect(theirs(der).subject).toBe('C=DE+C=US, O=Shop, CN=Müller CA, 2.5.4.5=7')
})

test('the ID of an authority is its subject key identifier in hex', async () => {
  const der = await createCaCertificate(params)
  expect(authorityIdOf(der)).toBe(keyIdOf(spkiOf(params.key)).toString('hex'))
  expect(authorityIdOf(der)).toMatch(/^[0-9a-f]{40}$/)
  const [spire = Buffer.alloc(0)] = fromPem('CERTIFICATE', SPIRE_BUNDLE_PEM)
  expect(authorityIdOf(spire)).toBe('be45081afb46fddb553a8007ecd11487392c00d7')
})

test.for(['00', 'ff'.repeat(20)])('refuses the serial number %s', async (hex) => {
  const serial = Buffer.from(hex, 'hex')
  expect(await refusalOfAsync(() => createCaCertificate({ ...params, serial }))).toMatch('INTERNAL')
})

test('refuses a key of a kind that is never made', async () => {
  const { privateKey: key } = generateKeyPairSync('ed25519')
  expect(await refusalOfAsync(() => createCaCertificate({ ...params, key }))).toBe(
    'INTERNAL: cannot make a CA with a key of type ed25519',
  )
})

for (const type of ['ec-p256', 'ec-p384', 'rsa-2048'] as const) {
  test(`a CA further down, signed with a key of type ${type}, is known by its place and its signer`, async () => {
    const key = await generateKey(type)
    const subject = { country: ['US'], organization: ['SPIFFE'], commonName: 'root' }
    const certificate = await createCaCertificate({ ...params, subject, key })
    const spki = spkiOf(await generateKey('ec-p384'))
    const der = await createDownstreamCa({
      ...params,
      spki,
      issuer: { certificate, key },
      depth: 2,
      serial: Buffer.of(9),
    })
    const [ca, root] = [new X509Certificate(der), new X509Certificate(certificate)]
    expect(ca.checkIssued(root) && ca.verify(root.publicKey)).toBe(true)
    const serialNumber = 0xf0000000000000000000000000000001n
    expect(theirs(der).subject).toBe(
      `C=US, O=SPIFFE, OU=DOWNSTREAM-2, CN=root, 2.5.4.5=${serialNumber}`,
    )
    const parsed = parseCertificate(der)
    expect(Buffer.from(parsed.issuer)).toEqual(Buffer.from(parseCertificate(certificate).subject))
    expect(Buffer.from(parsed.spki)).toEqual(spki)
    expect(authorityIdOf(der)).toBe(keyIdOf(spki).toString('hex'))
    expect(theirs(der).extensions.map((one) => one.type)).toEqual([
      '2.5.29.15',
      '2.5.29.19',
      '2.5.29.14',
      '2.5.29.35',
      '2.5.29.17',
    ])
  })
}
