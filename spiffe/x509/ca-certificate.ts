/**
 * Certificates of X.509 authorities, self-signed, with the fields that SPIRE's have: the trust domain's own ID,
 * the rights to sign certificates and CRLs, and nothing else.
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
import { encodeSerial } from './issue-leaf.ts'
import { keyIdOf } from './key-id.ts'
import { encodeName } from './name.ts'

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
  const { trustDomain, subject, notBefore, notAfter } = params
  encodeSerial(params.serial) // refuses what RFC 5280 does not allow
  const serial = Buffer.from(params.serial).toString('hex')
  const keys = await importPair(params.key)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial,
      name: new x509.Name(
        encodeName({ ...subject, serialNumber: BigInt(`0x${serial}`).toString() }),
      ),
      notBefore,
      notAfter,
      signingAlgorithm: keys.algorithm,
      keys,
      extensions: [
        new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.SubjectKeyIdentifierExtension(keyIdOf(spkiOf(params.key)).toString('hex')),
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: trustDomainId(trustDomain) },
        ]),
      ],
    },
    crypto,
  )
  return Buffer.from(certificate.rawData)
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
