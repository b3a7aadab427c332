/**
 * Certificates of X.509 authorities, self-signed or signed for a server further down, with the fields that SPIRE's
 * have: the trust domain's own ID, the rights to sign certificates and CRLs, and nothing else.
 *
 * @see X509-SVID §3 and §4 — signing certificates
 */
import 'reflect-metadata'
import type { KeyObject, webcrypto } from 'node:crypto'
import { Crypto } from '@peculiar/webcrypto'
import * as x509 from '@peculiar/x509'
import { IdentityError } from '../error.ts'
import { type TrustDomain, trustDomainId } from '../id.ts'
import { spkiOf, toPkcs8 } from '../key.ts'
import { parseCertificate } from './certificate.ts'
import { encodeSerial } from './issue-leaf.ts'
import { authorityIdOf, keyIdOf } from './key-id.ts'
import { encodeName, withOrganizationalUnit } from './name.ts'

export interface CaSubject {
  readonly country: readonly string[]
  readonly organization: readonly string[]
  readonly commonName: string | undefined
}

export interface CaCertificateParams {
  /** Private; it signs the certificate itself. */
  readonly key: KeyObject
  readonly trustDomain: TrustDomain
  readonly subject: CaSubject
  readonly notBefore: Date
  readonly notAfter: Date
  /** Big-endian, positive, at most 20 bytes. Its decimal form makes the subject unique. */
  readonly serial: Uint8Array
}

/** The library signs with keys of a WebCrypto only. */
const crypto = new Crypto()
const { KeyUsageFlags } = x509

/** @returns DER */
export async function createCaCertificate(params: CaCertificateParams): Promise<Buffer> {
  const { key, trustDomain, subject, notBefore, notAfter } = params
  const serialNumber = serialHex(params.serial)
  const keys = await importPair(key)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber,
      name: new x509.Name(
        encodeName({ ...subject, serialNumber: BigInt(`0x${serialNumber}`).toString() }),
      ),
      notBefore,
      notAfter,
      signingAlgorithm: keys.algorithm,
      keys,
      extensions: caExtensions(spkiOf(key), trustDomain, undefined),
    },
    crypto,
  )
  return Buffer.from(certificate.rawData)
}

interface SignedCaParams {
  /** SubjectPublicKeyInfo, DER. Whoever asks has proven to have the private key. */
  readonly spki: Uint8Array
  /** Who signs: certificate in DER, and its private key. */
  readonly issuer: { readonly certificate: Uint8Array; readonly key: KeyObject }
  readonly trustDomain: TrustDomain
  readonly notBefore: Date
  readonly notAfter: Date
  /** Big-endian, positive, at most 20 bytes. */
  readonly serial: Uint8Array
}

export interface SubordinateCaParams extends SignedCaParams {
  /** DER name. */
  readonly subject: Uint8Array
}

export interface DownstreamCaParams extends SignedCaParams {
  /** How many CA certificates are above it. */
  readonly depth: number
}

/** The certificate of another server of the same trust domain, whose subject says how far down it is. @returns DER */
export async function createDownstreamCa({
  depth,
  ...params
}: DownstreamCaParams): Promise<Buffer> {
  const { subject } = parseCertificate(params.issuer.certificate)
  return await createSubordinateCa({
    ...params,
    subject: withOrganizationalUnit(subject, `DOWNSTREAM-${depth}`),
  })
}

/** A CA certificate of this trust domain that another CA signs. @returns DER */
export async function createSubordinateCa(params: SubordinateCaParams): Promise<Buffer> {
  const { spki, issuer, subject, trustDomain, notBefore, notAfter } = params
  const { algorithm, privateKey } = await importPair(issuer.key)
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialHex(params.serial),
      issuer: new x509.Name(Buffer.from(parseCertificate(issuer.certificate).subject)),
      subject: new x509.Name(Buffer.from(subject)),
      notBefore,
      notAfter,
      publicKey: Buffer.from(spki),
      signingKey: privateKey,
      signingAlgorithm: algorithm,
      extensions: caExtensions(spki, trustDomain, authorityIdOf(issuer.certificate)),
    },
    crypto,
  )
  return Buffer.from(certificate.rawData)
}

/** @param authorityKeyId of who signs; undefined when the certificate signs itself */
function caExtensions(
  spki: Uint8Array,
  trustDomain: TrustDomain,
  authorityKeyId: string | undefined,
): x509.Extension[] {
  return [
    new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.SubjectKeyIdentifierExtension(keyIdOf(spki).toString('hex')),
    ...(authorityKeyId === undefined
      ? []
      : [new x509.AuthorityKeyIdentifierExtension(authorityKeyId)]),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: trustDomainId(trustDomain) }]),
  ]
}

function serialHex(serial: Uint8Array): string {
  encodeSerial(serial) // refuses what RFC 5280 does not allow
  return Buffer.from(serial).toString('hex')
}

type Ecdsa = webcrypto.EcKeyImportParams & webcrypto.EcdsaParams

const ALGORITHMS: Readonly<Record<string, Ecdsa>> = {
  prime256v1: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
}
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

async function importPair(key: KeyObject) {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? ''
  const algorithm = key.asymmetricKeyType === 'rsa' ? RSA : ALGORITHMS[curve]
  if (algorithm === undefined) {
    throw new IdentityError(
      'INTERNAL',
      `cannot make a CA with a key of type ${curve || key.asymmetricKeyType}`,
    )
  }
  const subtle: webcrypto.SubtleCrypto = crypto.subtle
  return {
    algorithm,
    privateKey: await subtle.importKey('pkcs8', toPkcs8(key), algorithm, false, ['sign']),
    publicKey: await subtle.importKey('spki', spkiOf(key), algorithm, true, ['verify']),
  }
}
