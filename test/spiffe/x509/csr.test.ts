import 'reflect-metadata'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { createCsr, parseCsr } from '../../../spiffe/x509/csr.ts'
import { TAG } from '../../../spiffe/x509/der.ts'
import {
  bits,
  boolean,
  encode,
  integer,
  octets,
  oid,
  sequence,
  set,
} from '../../../spiffe/x509/der-write.ts'
import { altNamesExtension } from '../../../spiffe/x509/general-names.ts'
import { encodeName, SVID_SUBJECT } from '../../../spiffe/x509/name.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import { OPENSSL_CSR } from '../../vectors/foreign-documents.ts'
import { refusalOf, survives } from '../refusal.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const key = await generateKey('ec-p256')
const SUBJECT = encodeName({ organization: ['Somebody'], commonName: 'x' })

for (const type of ['ec-p256', 'ec-p384', 'rsa-2048'] as const) {
  test(`a request with a ${type} key says what was asked for and proves its key`, async () => {
    const own = await generateKey(type)
    const csr = parseCsr(
      createCsr({
        key: own,
        uriSans: ['spiffe://example.org/a'],
        dnsNames: ['a.example.org', 'b.example.org'],
        subject: SUBJECT,
      }),
    )
    expect(csr.uriSans).toEqual(['spiffe://example.org/a'])
    expect(csr.dnsNames).toEqual(['a.example.org', 'b.example.org'])
    expect(Buffer.from(csr.subject)).toEqual(SUBJECT)
    expect(Buffer.from(csr.spki)).toEqual(spkiOf(own))
    expect(spkiOf(csr.publicKey)).toEqual(spkiOf(own))
    expect(csr.verify()).toBe(true)
    expect(await csr.verifyElsewhere()).toBe(true)
  })
}

test('a request that asks for nothing has the subject of SPIRE and no names', () => {
  const csr = parseCsr(createCsr({ key }))
  expect(Buffer.from(csr.subject)).toEqual(SVID_SUBJECT)
  expect([csr.uriSans, csr.dnsNames]).toEqual([[], []])
})

test('another library reads what is written here, and finds its signature good', async () => {
  const der = createCsr({ key, uriSans: ['spiffe://example.org/a'] })
  const theirs = new x509.Pkcs10CertificateRequest(new Uint8Array(der).buffer)
  expect(theirs.subject).toBe('C=US, O=SPIRE')
  const [asked] = theirs.extensions
  expect(asked && Buffer.from(asked.rawData)).toEqual(
    altNamesExtension({ uriSans: ['spiffe://example.org/a'], dnsNames: [] }, false),
  )
  expect(await theirs.verify()).toBe(true)
})

test('reads the request that OpenSSL wrote', () => {
  const [der = new Uint8Array()] = fromPem('CERTIFICATE REQUEST', OPENSSL_CSR)
  const csr = parseCsr(der)
  expect(csr.uriSans).toEqual(['spiffe://example.org/from-openssl'])
  expect(csr.dnsNames).toEqual(['leaf.example.org'])
  expect(csr.verify()).toBe(true)
})

interface Parts {
  readonly version?: Buffer
  readonly spki?: Buffer
  readonly attributes?: Buffer
  readonly algorithm?: Buffer
  readonly signed?: Buffer
  readonly more?: readonly Buffer[]
}

function build({ version, spki, attributes, algorithm, signed, more = [] }: Parts): Buffer {
  const info = sequence(
    version ?? integer(Buffer.of(0)),
    SUBJECT,
    spki ?? spkiOf(key),
    attributes ?? encode(0xa0),
    ...more,
  )
  const signature = sign('sha256', signed ?? info, key)
  return sequence(info, algorithm ?? sequence(oid(OID.ecdsaSha256)), bits(signature))
}

const request = (...extensions: Buffer[]) =>
  sequence(oid(OID.extensionRequest), set(sequence(...extensions)))
const attributes = (...all: Buffer[]) => encode(0xa0, ...all)
const names = altNamesExtension({ uriSans: ['spiffe://example.org/a'], dnsNames: [] }, true)
const other = sequence(oid('1.2.3'), set(boolean(true)))

test('looks past other attributes and extensions, critical or not', () => {
  const keyUsage = sequence(oid(OID.keyUsage), boolean(true), octets(bits(Buffer.of(0x80), 7)))
  const csr = parseCsr(build({ attributes: attributes(other, request(keyUsage, names)) }))
  expect(csr.uriSans).toEqual(['spiffe://example.org/a'])
  expect(csr.verify()).toBe(true)
})

test.for([
  ['signed over something else', { signed: Buffer.from('something else') }],
  ['naming another hash', { algorithm: sequence(oid(OID.ecdsaSha384)) }],
  ['naming SHA-1', { algorithm: sequence(oid('1.2.840.10045.4.1')) }],
  ['naming RSA', { algorithm: sequence(oid(OID.rsaSha256), encode(TAG.null)) }],
  [
    'with the key of somebody else',
    { spki: spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey) },
  ],
] as const)('a request %s can be read and proves nothing', ([, parts]) => {
  expect(parseCsr(build(parts)).verify()).toBe(false)
})

const spki = (generated: { publicKey: Parameters<typeof spkiOf>[0] }) => spkiOf(generated.publicKey)

test.for([
  ['of another version', build({ version: integer(Buffer.of(1)) }), 'not of version 1'],
  ['without attributes', build({ attributes: boolean(true) }), 'expected 0xa0'],
  ['with a field too many', build({ more: [boolean(true)] }), 'a value too many'],
  ['asking twice', build({ attributes: attributes(request(names), request(names)) }), 'twice'],
  [
    'asking for an empty name',
    build({
      attributes: attributes(request(sequence(oid(OID.subjectAltName), octets(sequence())))),
    }),
    'empty subject alternative name',
  ],
  [
    'with an RSA key of 1024 bits',
    build({ spki: spki(generateKeyPairSync('rsa', { modulusLength: 1024 })) }),
    'RSA key of 1024 bits, expected 2048 to 8192',
  ],
  [
    'with a DSA key',
    build({ spki: spki(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })) }),
    'keys of kind 1.2.840.10040.4.1 are not supported',
  ],
  ['that is a PEM text', Buffer.from(OPENSSL_CSR), 'malformed DER'],
  ['that is empty', Buffer.alloc(0), 'ends early'],
  ['that is giant', Buffer.alloc(20_000), 'longer than 16384 bytes'],
] as const)('refuses a request %s', ([, der, why]) => {
  expect(refusalOf(() => parseCsr(der))).toMatch('CSR_INVALID: malformed CSR: ')
  expect(refusalOf(() => parseCsr(der))).toContain(why)
})

test('refuses to sign with a key of a kind that is never made', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  expect(refusalOf(() => createCsr({ key: privateKey }))).toContain('key of type ed25519')
})

test('refuses to ask for a name that is not printable ASCII', () => {
  expect(refusalOf(() => createCsr({ key, uriSans: ['spiffe://exämple.org/a'] }))).toContain(
    'not printable ASCII',
  )
})

test('a request changed anywhere is refused, or proves nothing', () => {
  const good = createCsr({ key, uriSans: ['spiffe://example.org/a'] })
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Buffer.from(good)
      changed[at] = (changed[at] ?? 0) ^ mask
      survives(() => expect(parseCsr(changed).verify()).toBe(false), 'CSR_INVALID')
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (any) => {
      survives(() => parseCsr(any), 'CSR_INVALID')
    }),
  )
})

test('another thread refuses a changed request like this one does, many at a time and each for itself', async () => {
  const good = createCsr({ key, uriSans: ['spiffe://example.org/a'] })
  const change = fc.record({ at: fc.nat(good.length - 1), mask: fc.integer({ min: 0, max: 255 }) })
  const verdict = async ({ at, mask }: { readonly at: number; readonly mask: number }) => {
    const changed = Buffer.from(good)
    changed[at] = (changed[at] ?? 0) ^ mask
    try {
      return await parseCsr(changed).verifyElsewhere()
    } catch (error) {
      return refusalOf(() => {
        throw error
      }).startsWith('CSR_INVALID: ')
        ? false
        : error
    }
  }
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
      const seen = await Promise.all(changes.map(verdict))
      expect(seen).toEqual(changes.map(({ mask }) => mask === 0))
    }),
    { numRuns: 30 },
  )
})

test('another thread refuses what the key did not sign: another algorithm, and a key of another kind', async () => {
  const other = await generateKey('ec-p256')
  const signedByOther = build({ spki: spkiOf(other) })
  expect(await parseCsr(signedByOther).verifyElsewhere()).toBe(false)
  const rsa = await generateKey('rsa-2048')
  expect(await parseCsr(build({ spki: spkiOf(rsa) })).verifyElsewhere()).toBe(false)
})

test.runIf(hasOpenssl)('the openssl command reads and verifies what is written here', () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-csr-'))
  const path = join(dir, 'csr.der')
  writeFileSync(path, createCsr({ key, dnsNames: ['a.example.org'], subject: SUBJECT }))
  const text = execFileSync(
    'openssl',
    ['req', '-inform', 'DER', '-in', path, '-noout', '-verify', '-subject', '-nameopt', 'RFC2253'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  )
  rmSync(dir, { recursive: true })
  expect(text).toContain('CN=x,O=Somebody')
})

test('a key that is no point of its curve is refused as soon as it is used', () => {
  const off = Buffer.from(spkiOf(key))
  off[off.length - 1] = (off.at(-1) ?? 0) ^ 1
  expect(refusalOf(() => parseCsr(build({ spki: off })).verify())).toBe(
    'CSR_INVALID: malformed CSR: the public key is not valid',
  )
  expect(refusalOf(() => void parseCsr(build({ spki: off })).verifyElsewhere())).toBe(
    'CSR_INVALID: malformed CSR: the public key is not valid',
  )
})
