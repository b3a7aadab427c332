/**
 * Any certificate one likes, made with a library that `spiffe/` does not use for reading. Everything that it says
 * can be changed, so that each rule can be broken alone.
 */
import 'reflect-metadata'
import type { KeyObject, webcrypto } from 'node:crypto'
import { Crypto } from '@peculiar/webcrypto'
import * as x509 from '@peculiar/x509'
import { generateKey, type KeyType, spkiOf, toPkcs8 } from '../../spiffe/key.ts'

export interface CertificateFields {
  readonly keyType?: KeyType
  readonly key?: KeyObject
  readonly subject?: string
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly isCa?: boolean
  readonly pathLength?: number
  /** Bits of `KEY_USAGE`; `undefined` leaves the extension out. */
  readonly keyUsage?: number | undefined
  readonly keyUsageCritical?: boolean
  readonly uriSans?: readonly string[]
  readonly dnsNames?: readonly string[]
  /** Leaves out the identifiers of subject and authority key. */
  readonly withoutKeyIds?: boolean
  /** Dotted OIDs; `undefined` leaves the extension out. */
  readonly extKeyUsage?: readonly string[] | undefined
  readonly extensions?: readonly x509.Extension[]
  /** As WebCrypto has it, e.g. with another hash. */
  readonly signingAlgorithm?: object
}

export interface MadeCertificate {
  /** DER. */
  readonly certificate: Uint8Array
  readonly key: KeyObject
}

export const KEY_USAGE = x509.KeyUsageFlags

/** An extension of one's own, e.g. a critical one that nobody knows. */
export function extension(oid: string, value: Uint8Array, isCritical = true): x509.Extension {
  return new x509.Extension(oid, isCritical, exactly(value))
}

const NOT_BEFORE = new Date('2026-01-01T00:00:00Z')
const NOT_AFTER = new Date('2026-01-02T00:00:00Z')
const crypto = new Crypto()
let serials = 0

/** @param issuer undefined for a self-signed one */
export async function makeCertificate(
  issuer: MadeCertificate | undefined,
  fields: CertificateFields,
): Promise<MadeCertificate> {
  const key = fields.key ?? (await generateKey(fields.keyType ?? 'ec-p256'))
  const signing = issuer?.key ?? key
  const algorithm = fields.signingAlgorithm ?? algorithmOf(signing)
  const subject = new x509.Name(fields.subject ?? '')
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: (++serials).toString(16).padStart(16, '1'),
      subject,
      issuer: issuer === undefined ? subject : nameOf(issuer),
      notBefore: fields.notBefore ?? NOT_BEFORE,
      notAfter: fields.notAfter ?? NOT_AFTER,
      publicKey: exactly(spkiOf(key)),
      signingKey: await importKey(signing, algorithm),
      signingAlgorithm: algorithm,
      extensions: await extensionsOf(fields, key, signing),
    },
    crypto,
  )
  return { certificate: Buffer.from(certificate.rawData), key }
}

async function extensionsOf(
  fields: CertificateFields,
  key: KeyObject,
  signing: KeyObject,
): Promise<x509.Extension[]> {
  const { isCa = false, keyUsage, uriSans = [], dnsNames = [], extKeyUsage } = fields
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...uriSans.map((value) => ({ type: 'url' as const, value })),
  ]
  return [
    ...(keyUsage === undefined
      ? []
      : [new x509.KeyUsagesExtension(keyUsage, fields.keyUsageCritical ?? true)]),
    ...(extKeyUsage === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...extKeyUsage])]),
    new x509.BasicConstraintsExtension(isCa, fields.pathLength, true),
    ...(fields.withoutKeyIds
      ? []
      : [
          new x509.SubjectKeyIdentifierExtension(await keyIdOf(key)),
          new x509.AuthorityKeyIdentifierExtension(await keyIdOf(signing)),
        ]),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ...(fields.extensions ?? []),
  ]
}

async function keyIdOf(key: KeyObject): Promise<string> {
  const publicKey = new x509.PublicKey(exactly(spkiOf(key)))
  return Buffer.from(await publicKey.getKeyIdentifier(crypto)).toString('hex')
}

function nameOf({ certificate }: MadeCertificate): x509.Name {
  return new x509.X509Certificate(exactly(certificate)).subjectName
}

function algorithmOf(key: KeyObject) {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }
    : { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
}

function importKey(key: KeyObject, algorithm: object): Promise<webcrypto.CryptoKey> {
  const subtle: webcrypto.SubtleCrypto = crypto.subtle
  const wanted = { ...algorithmOf(key), ...algorithm }
  return subtle.importKey('pkcs8', toPkcs8(key), wanted, false, ['sign'])
}

/** Buffers share memory; the library would read all of it. */
function exactly(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
