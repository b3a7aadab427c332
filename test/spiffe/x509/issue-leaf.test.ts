import 'reflect-metadata'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import { expect, test } from 'vitest'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { encodeSerial, type LeafFields, leafSigner } from '../../../spiffe/x509/issue-leaf.ts'
import { authorityIdOf, keyIdOf } from '../../../spiffe/x509/key-id.ts'
import { encodeName } from '../../../spiffe/x509/name.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { verifyX509Svid } from '../../../spiffe/x509/verify.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { refusalOf } from '../refusal.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const ca = await testCa()
const sign = leafSigner(ca)
const leafKey = await generateKey('ec-p256')

const fields: LeafFields = {
  spki: spkiOf(leafKey),
  id: parseSpiffeId('spiffe://example.org/cart'),
  dnsNames: [],
  notBefore: new Date('2026-01-01T11:59:50Z'),
  notAfter: new Date('2026-01-01T13:00:00Z'),
  serial: Buffer.from('ff00000000000000000000000000000001', 'hex').subarray(0, 16),
}

const theirs = (der: Uint8Array) => new x509.X509Certificate(new Uint8Array(der).buffer)

test('another library reads every field as it was asked for', () => {
  const read = theirs(sign({ ...fields, dnsNames: ['a.example.org', 'b.example.org'] }))
  expect(read.serialNumber).toBe('ff000000000000000000000000000000')
  expect(read.subject).toBe('C=US, O=SPIRE, CN=a.example.org')
  expect(read.issuer).toBe(theirs(ca.certificate).subject)
  expect(read.notBefore).toEqual(fields.notBefore)
  expect(read.notAfter).toEqual(fields.notAfter)
  expect(Buffer.from(read.publicKey.rawData)).toEqual(spkiOf(leafKey))
  expect(read.extensions.map(({ type, critical }) => [type, critical])).toEqual([
    [OID.keyUsage, true],
    [OID.extKeyUsage, false],
    [OID.basicConstraints, true],
    [OID.subjectKeyIdentifier, false],
    [OID.authorityKeyIdentifier, false],
    [OID.subjectAltName, false],
  ])
  const { digitalSignature, keyAgreement } = x509.KeyUsageFlags
  expect(read.getExtension(x509.KeyUsagesExtension)?.usages).toBe(digitalSignature | keyAgreement)
  expect(read.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([
    OID.serverAuth,
    OID.clientAuth,
  ])
  expect(read.getExtension(x509.BasicConstraintsExtension)?.ca).toBe(false)
  expect(read.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
    { type: 'dns', value: 'a.example.org' },
    { type: 'dns', value: 'b.example.org' },
    { type: 'url', value: 'spiffe://example.org/cart' },
  ])
})

test('key identifiers are those that the other library computes', async () => {
  const read = theirs(sign(fields))
  const id = async (der: Uint8Array) =>
    Buffer.from(await theirs(der).publicKey.getKeyIdentifier()).toString('hex')
  expect(read.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).toBe(await id(sign(fields)))
  expect(read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(
    await id(ca.certificate),
  )
})

test('an authority without a key identifier is pointed to by the one of its key', async () => {
  const bare = await testCa({ withoutKeyIds: true })
  const leaf = parseCertificate(leafSigner(bare)(fields))
  expect(parseCertificate(bare.certificate).subjectKeyId).toBeUndefined()
  expect(leaf.authorityKeyId).toBe(keyIdOf(spkiOf(bare.key)).toString('hex'))
  expect(leaf.authorityKeyId).toBe(authorityIdOf(bare.certificate))
})

test('the encoding is the one of the other library, byte for byte', () => {
  const der = sign(fields)
  const read = theirs(der)
  const parts = read.extensions.map((one) => Buffer.from(one.rawData).toString('hex'))
  const rewritten = [
    new x509.KeyUsagesExtension(
      x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyAgreement,
      true,
    ),
    new x509.ExtendedKeyUsageExtension([OID.serverAuth, OID.clientAuth]),
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.SubjectKeyIdentifierExtension(parseCertificate(der).subjectKeyId ?? ''),
    new x509.AuthorityKeyIdentifierExtension(parseCertificate(der).authorityKeyId ?? ''),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: fields.id }]),
  ]
  expect(parts).toEqual(rewritten.map((one) => Buffer.from(one.rawData).toString('hex')))
})

for (const keyType of ['ec-p256', 'ec-p384', 'rsa-2048'] as const) {
  test(`Node finds what a ${keyType} authority signed to be issued and signed by it`, async () => {
    const issuer = await testCa({ keyType })
    const leaf = new X509Certificate(leafSigner(issuer)(fields))
    const root = new X509Certificate(issuer.certificate)
    expect([leaf.checkIssued(root), leaf.verify(root.publicKey)]).toEqual([true, true])
    const chain = [leaf.raw]
    expect(verifyX509Svid({ chain, bundle: issuer.bundle, now: TEST_NOW }).id).toBe(fields.id)
  })
}

test.runIf(hasOpenssl)('the openssl command verifies it strictly', () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-leaf-'))
  writeFileSync(join(dir, 'ca.pem'), toPem('CERTIFICATE', ca.certificate))
  writeFileSync(join(dir, 'leaf.pem'), toPem('CERTIFICATE', sign(fields)))
  const at = String(TEST_NOW.getTime() / 1000)
  const args = ['verify', '-x509_strict', '-attime', at, '-CAfile', 'ca.pem', 'leaf.pem']
  const text = execFileSync('openssl', args, { cwd: dir, encoding: 'utf8' })
  rmSync(dir, { recursive: true })
  expect(text).toBe('leaf.pem: OK\n')
})

const publicKey = (type: 'rsa' | 'ed25519') =>
  type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
    : generateKeyPairSync('ed25519').publicKey

test.for([
  ['rsa', ['digitalSignature', 'keyEncipherment']],
  ['ed25519', ['digitalSignature']],
] as const)('a %s key gets the key usages that its RFC allows', ([type, usages]) => {
  const leaf = parseCertificate(sign({ ...fields, spki: spkiOf(publicKey(type)) }))
  expect([...(leaf.keyUsage ?? [])]).toEqual(usages)
})

test('a subject of its own keeps its parts, and takes the first DNS name as common name', () => {
  const subject = encodeName({ organization: ['Shop'], commonName: 'old' })
  expect(theirs(sign({ ...fields, subject })).subject).toBe('O=Shop, CN=old')
  expect(theirs(sign({ ...fields, subject, dnsNames: ['new'] })).subject).toBe('O=Shop, CN=new')
})

test('with an empty subject the alternative name is critical', () => {
  const leaf = parseCertificate(sign({ ...fields, subject: encodeName({}) }))
  expect(leaf.isAltNameCritical).toBe(true)
})

test('validity past 2049 is written in the other form, and read back', () => {
  const notAfter = new Date('2050-01-01T00:00:00Z')
  expect(theirs(sign({ ...fields, notAfter })).notAfter).toEqual(notAfter)
})

test.for([
  ['7f', '02017f'],
  ['80', '02020080'],
  ['0000017f', '0202017f'],
  ['7f'.repeat(20), `0214${'7f'.repeat(20)}`],
  ['ffffffffffffffffffffffffffffffff', '021100ffffffffffffffffffffffffffffffff'],
] as const)('the serial number %s is written minimal and positive', ([serial, written]) => {
  expect(encodeSerial(Buffer.from(serial, 'hex')).toString('hex')).toBe(written)
})

test.for(['', '00', '00000000', 'ff'.repeat(20), '01'.repeat(21)])(
  'refuses the serial number %j',
  (serial) => {
    expect(refusalOf(() => encodeSerial(Buffer.from(serial, 'hex')))).toMatch('INTERNAL')
  },
)

test('random serial numbers of 16 bytes are always accepted', () => {
  for (let round = 0; round < 1000; round++) encodeSerial(randomBytes(16))
})

test('refuses to give a workload the ID of a trust domain', () => {
  const id = parseSpiffeId('spiffe://example.org')
  expect(refusalOf(() => sign({ ...fields, id }))).toBe(
    'SPIFFE_ID_INVALID: spiffe://example.org has no path, an X509-SVID needs one',
  )
})

test('refuses a public key that it would not believe itself', () => {
  const { publicKey: weak } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  expect(refusalOf(() => sign({ ...fields, spki: spkiOf(weak) }))).toContain('RSA key of 1024 bits')
})

test('refuses a CA key that does not belong to the CA certificate', async () => {
  const other = await testCa()
  expect(refusalOf(() => leafSigner({ certificate: ca.certificate, key: other.key }))).toBe(
    'INTERNAL: the CA key does not belong to the CA certificate',
  )
})
