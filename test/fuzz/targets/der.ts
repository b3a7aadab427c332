/** Readers of DER: values, requests, certificates, chains, names and keys, beside node:crypto and @peculiar/x509. */
import 'reflect-metadata'
import { createPublicKey, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { readCsr } from '../../../server/mesh/requested-csr.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parsePkcs8 } from '../../../spiffe/key.ts'
import {
  parseCertificate,
  parseCertificates,
  publicKeyOf,
} from '../../../spiffe/x509/certificate.ts'
import { createCsr, parseCsr } from '../../../spiffe/x509/csr.ts'
import * as der from '../../../spiffe/x509/der.ts'
import { encode } from '../../../spiffe/x509/der-write.ts'
import { parseAltNames } from '../../../spiffe/x509/general-names.ts'
import {
  commonNameOf,
  encodeName,
  withCommonName,
  withOrganizationalUnit,
} from '../../../spiffe/x509/name.ts'
import { wrongWithNames } from '../../../spiffe/x509/name-constraints.ts'
import { nameText } from '../../../spiffe/x509/name-text.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import { kindOfKey } from '../../../spiffe/x509/public-key.ts'
import { verifyPeer, verifyX509Svid } from '../../../spiffe/x509/verify.ts'
import { verifyPkiChain } from '../../../spiffe/x509/verify-pki.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { KEY_USAGE, makeCertificate } from '../../fakes/certificate.ts'
import * as foreign from '../../vectors/foreign-documents.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, readByOther } from '../target.ts'

const ca = await testCa()
const intermediate = await ca.intermediate()
const leaf = await intermediate.leaf('/workload', { dnsNames: ['a.example.org'] })
const pki = await makeCertificate(ca, { keyUsage: KEY_USAGE.digitalSignature, dnsNames: ['b'] })
const seedCertificates = [
  ...[ca.certificate, intermediate.certificate, leaf.certificate, pki.certificate],
  ...fromPem('CERTIFICATE', foreign.SPIRE_BUNDLE_PEM),
  ...fromPem('CERTIFICATE', foreign.SPIRE_SVID),
].map((one) => Buffer.from(one))

/** Tags, lengths, OIDs and names as they stand in certificates. */
const DICTIONARY = [
  ...['\x30\x80', '\x30\x82\x01\x00', '\x30\x84\xff\xff\xff\xff', '\x02\x01\x00', '\x02\x01\x02'],
  ...['\x05\x00', '\x01\x01\xff', '\x01\x01\x01', '\x31\x00', '\xa0\x00', '\xa3\x02\x30\x00'],
  ...[
    '\x06\x03\x55\x1d\x11',
    '\x06\x03\x55\x1d\x0f',
    '\x06\x03\x55\x1d\x13',
    '\x06\x03\x55\x1d\x1e',
  ],
  ...[
    '\x06\x03\x55\x1d\x25',
    '\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e',
    '\x06\x03\x55\x04\x03',
  ],
  ...['\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02', '\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07'],
  ...['\x17\x0d260101000000Z', '\x18\x0f20260101000000Z', '\x18\x0f99991231235959Z'],
  ...[
    '\x86\x1dspiffe://example.org/workload',
    'spiffe://example.org',
    '\x82\x01a',
    '\x87\x04\x7f\x00\x00\x01',
  ],
]

const values: FuzzTarget = {
  name: 'der-value',
  oracle: 'what is read is written again as the same bytes, at every depth',
  seeds: [
    Buffer.from('300a02010101010103030200', 'hex'),
    Buffer.from('0603551d11', 'hex'),
    ...seedCertificates.slice(0, 2),
  ],
  dictionary: DICTIONARY,
  ...{ maxBytes: 512, share: 10 },
  run(input) {
    const read = answerOf(() => der.readElement(input))
    if (read !== undefined) look(read.answer)
  },
}

function look(element: der.Element): void {
  const again = encode(element.tag, element.value)
  if (Buffer.compare(again, element.raw) !== 0)
    throw broken('a value is not the one way to write it')
  for (const read of [
    der.oidOf,
    der.booleanOf,
    der.bigintOf,
    der.bitsOf,
    der.bitStringOf,
    der.octetsOf,
    der.timeOf,
  ]) {
    answerOf<unknown>(() => read(element))
  }
  for (const child of answerOf(() => der.childrenOf(element))?.answer ?? []) look(child)
}

const csr: FuzzTarget = {
  name: 'der-csr',
  oracle: '@peculiar/x509 reads the same key and names; a proof that holds here holds in OpenSSL',
  seeds: [
    createCsr({ key: leaf.key }),
    createCsr({ key: leaf.key, uriSans: ['spiffe://example.org/a'], dnsNames: ['a', 'b'] }),
    createCsr({ key: leaf.key, subject: encodeName({ organization: ['O'], commonName: 'x' }) }),
    ...fromPem('CERTIFICATE REQUEST', foreign.OPENSSL_CSR),
  ],
  dictionary: DICTIONARY,
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    const read = answerOf(() => parseCsr(input))
    answerOf(() => readCsr(input))
    if (read === undefined) return
    const { spki, subject, uriSans, dnsNames } = read.answer
    answerOf(() => nameText(subject))
    const other = readByOther(() => new x509.Pkcs10CertificateRequest(exactly(input)))
    if (other === undefined) return
    mustEqual('key', spki, new Uint8Array(other.answer.publicKey.rawData))
    const names = readByOther(() => other.answer.getExtension('2.5.29.17'))?.answer
    if (!(names instanceof x509.SubjectAlternativeNameExtension)) return
    const ofType = (type: string) =>
      names.names.items.filter((one) => one.type === type).map(({ value }) => value)
    mustEqual('URIs', uriSans, ofType('url'))
    mustEqual('DNS names', dnsNames, ofType('dns'))
  },
}

const proof: FuzzTarget = {
  ...csr,
  name: 'der-csr-proof',
  oracle: 'a key that is imported is the one that was read; a broken proof is refused, not thrown',
  share: 1,
  run(input) {
    const read = answerOf(() => parseCsr(input))
    if (read === undefined) return
    const key = answerOf(() => read.answer.publicKey)
    if (key === undefined) return
    const written = key.answer.export({ type: 'spki', format: 'der' })
    if (kindOfKey(read.answer.spki) !== kindOfKey(written)) throw broken('another key')
    answerOf(() => read.answer.verify())
  },
}

const certificate: FuzzTarget = {
  name: 'der-certificate',
  oracle:
    'node:crypto reads the same serial number, times and key where it reads the certificate at all',
  seeds: seedCertificates,
  dictionary: DICTIONARY,
  ...{ maxBytes: 8_192, share: 4 },
  run(input) {
    const read = answerOf(() => parseCertificate(input))
    if (read === undefined) return
    const { serialHex, notBefore, notAfter, subject, issuer } = read.answer
    for (const name of [subject, issuer]) {
      answerOf(() => nameText(name))
      answerOf(() => commonNameOf(name))
    }
    const key = answerOf(() => publicKeyOf(read.answer))
    const other = readByOther(() => new X509Certificate(input))?.answer
    if (other === undefined) return
    mustEqual('serial', BigInt(`0x${other.serialNumber}`), BigInt(`0x${serialHex}`))
    mustEqual('not before', notBefore.getTime(), other.validFromDate.getTime())
    mustEqual('not after', notAfter.getTime(), other.validToDate.getTime())
    const otherKey = readByOther(() => other.publicKey)
    if (key !== undefined && otherKey !== undefined && !key.answer.equals(otherKey.answer))
      throw broken('another key')
  },
}

const bundles = new Map([[ca.trustDomain, ca.bundle]])
const chain: FuzzTarget = {
  name: 'der-chain',
  oracle:
    'a chain that is believed holds a certificate that the authority signed, for the ID in it; nobody else has its key',
  seeds: [
    Buffer.concat([...leaf.chain]),
    Buffer.concat([leaf.certificate]),
    Buffer.concat([pki.certificate]),
    Buffer.concat([ca.certificate]),
  ],
  dictionary: DICTIONARY,
  ...{ maxBytes: 8_192, share: 2 },
  run(input) {
    const parsed = answerOf(() => parseCertificates(input))
    if (parsed === undefined) return
    const ders = parsed.answer.map((one) => one.der)
    const now = TEST_NOW
    const seen = answerOf(() =>
      verifyX509Svid({ chain: ders, bundle: ca.bundle, now, usage: 'serverAuth' }),
    )
    answerOf(() => verifyPeer({ chain: ders, bundles, now }))
    answerOf(() => verifyX509Svid({ chain: ders, bundle: emptyBundle(ca.trustDomain), now }))
    answerOf(() =>
      verifyPkiChain({
        chain: ders,
        authorities: ca.bundle.x509Authorities,
        now,
        maxIntermediates: 3,
      }),
    )
    // Only what the authority has really signed: the leaf is one of ours, byte for byte but for the randomness of ECDSA.
    if (seen !== undefined)
      mustEqual('signed part', seen.answer.leaf.tbs, parseCertificate(leaf.certificate).tbs)
  },
}

const reference = parseCertificate(leaf.certificate)
const names: FuzzTarget = {
  name: 'der-name',
  oracle: 'names are read or refused; a common name that is set is read again',
  seeds: [
    encodeName({ country: ['US'], organization: ['SPIRE'], commonName: 'a', serialNumber: '1' }),
    Buffer.from('301ba0193017820b6578616d706c652e6f7267a0080606', 'hex'),
    Buffer.from('3017861d7370696666653a2f2f6578616d706c652e6f7267', 'hex'),
    Buffer.from('3012a0103008860661622e636f6d3004820163', 'hex'),
  ],
  dictionary: DICTIONARY,
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    answerOf(() => nameText(input))
    answerOf(() => commonNameOf(input))
    answerOf(() => parseAltNames(input))
    answerOf(() => wrongWithNames(input, reference))
    answerOf(() => withOrganizationalUnit(input, 'unit'))
    const named = answerOf(() => withCommonName(input, 'somebody'))
    if (named !== undefined)
      mustEqual(
        'common name',
        answerOf(() => commonNameOf(named.answer)),
        { answer: 'somebody' },
      )
  },
}

const keys: FuzzTarget = {
  name: 'der-key',
  oracle: 'node:crypto reads every key that is believed, as the same kind',
  seeds: [
    leaf.key.export({ type: 'pkcs8', format: 'der' }),
    createPublicKey(leaf.key).export({ type: 'spki', format: 'der' }),
    Buffer.from(reference.spki),
  ],
  dictionary: DICTIONARY,
  ...{ maxBytes: 2_048, share: 4 },
  run(input) {
    const kind = answerOf(() => kindOfKey(input))
    answerOf(() => parsePkcs8(input))
    const other = readByOther(() => createPublicKey({ key: input, format: 'der', type: 'spki' }))
    // A point that is not on its curve is refused later, when the key is imported.
    if (kind !== undefined && other !== undefined)
      mustEqual('kind', other.answer.asymmetricKeyType, kind.answer)
  },
}

function exactly(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}

export const targets: readonly FuzzTarget[] = [values, csr, proof, certificate, chain, names, keys]
