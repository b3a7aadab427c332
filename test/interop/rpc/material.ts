/** Certificates, keys and signing requests that go to both servers, made once for a run: good ones, and one of each fault. */
import 'reflect-metadata'
import { createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { makeCertificate } from '../../fakes/certificate.ts'

x509.cryptoProvider.set(webcrypto)

export const key: KeyObject = await generateKey('ec-p256')
export const otherKey: KeyObject = await generateKey('ec-p256')
const p384 = await generateKey('ec-p384')
const rsa = await generateKey('rsa-2048')

const ID = 'spiffe://example.org/minted'

/** A request without names: the key is all that counts. */
export const csr = createCsr({ key })
/** @param uriSans in this order */
export const csrFor = (...uriSans: readonly string[]): Buffer => createCsr({ key, uriSans })
export const csrWith = (dnsNames: readonly string[]): Buffer =>
  createCsr({ key, uriSans: [ID], dnsNames })

export const CSRS = {
  p384: createCsr({ key: p384, uriSans: [ID] }),
  rsa2048: createCsr({ key: rsa, uriSans: [ID] }),
  rsa1024: await foreignCsr({
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 1024,
    publicExponent: new Uint8Array([1, 0, 1]),
  }),
  p521: await foreignCsr({ name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' }),
  ed25519: await foreignCsr({ name: 'Ed25519' }),
  withSubject: await foreignCsr(
    { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
    'C=DE, O=Town Hall, CN=mayor',
  ),
  cut: csrFor(ID).subarray(0, 60),
  longer: Buffer.concat([csrFor(ID), Buffer.from('00', 'hex')]),
  garbage: Buffer.from('garbage'),
  forged: forge(csrFor(ID)),
} as const

/** With the last byte of the signature changed. */
export function forge(der: Buffer): Buffer {
  const forged = Buffer.from(der)
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1
  return forged
}

async function foreignCsr(
  algorithm:
    | webcrypto.RsaHashedKeyGenParams
    | (webcrypto.EcKeyGenParams & { readonly hash: string })
    | webcrypto.Algorithm,
  name = 'C=US, O=SPIRE',
): Promise<Buffer> {
  // Cast: one key pair for each of these algorithms.
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: ID }])],
  })
  return Buffer.from(request.rawData)
}

/** A root of another trust domain. */
export const root: Buffer = await certificate({ isCa: true })
export const otherRoot: Buffer = await certificate({ isCa: true })
export const leaf: Buffer = await certificate({ isCa: false })
export const expiredRoot: Buffer = await certificate({
  isCa: true,
  notAfter: new Date('2020-01-02T00:00:00Z'),
  notBefore: new Date('2020-01-01T00:00:00Z'),
})

async function certificate(fields: Parameters<typeof makeCertificate>[1]): Promise<Buffer> {
  const validity = {
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2036-01-01T00:00:00Z'),
  }
  const made = await makeCertificate(undefined, { subject: 'O=fed', ...validity, ...fields })
  return Buffer.from(made.certificate)
}

/** SubjectPublicKeyInfo, DER. */
export const PUBLIC_KEYS = {
  p256: spkiOf(key),
  other: spkiOf(otherKey),
  rsa2048: spkiOf(rsa),
  p521: spki(generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey),
  ed25519: spki(generateKeyPairSync('ed25519').publicKey),
  rsa1024: spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
  garbage: Buffer.from('garbage'),
} as const

function spki(publicKey: KeyObject): Buffer {
  return createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({
    type: 'spki',
    format: 'der',
  })
}
