/**
 * Reads X.509 certificates: the fields that identity rests on, checked for form and for nothing else.
 * Trust is decided in `verify.ts`.
 *
 * @see RFC 5280 §4.1
 */
import type { KeyObject } from 'node:crypto'
import { parseSpki } from '../key.ts'
import {
  bigintOf,
  bitStringOf,
  type Element,
  malformed,
  readElement,
  readOnly,
  TAG,
  timeOf,
  walk,
} from './der.ts'
import { type Extensions, readExtensions } from './extensions.ts'

export interface Certificate extends Extensions {
  readonly der: Uint8Array
  /** The signed part. */
  readonly tbs: Uint8Array
  readonly serial: bigint
  /** The serial number as tools print it: lower-case hex, whole bytes. */
  readonly serialHex: string
  /** Names as DER, to be compared byte by byte. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** AlgorithmIdentifier, DER. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
}

const MAX_CERTIFICATE_BYTES = 64 * 1024
/** No chain or bundle of ours has more. */
const MAX_CERTIFICATES = 1000
/** RFC 5280 §4.1.2.2 allows 20; some authorities put a sign byte before them. */
const MAX_SERIAL_BYTES = 21

const VERSION = 0xa0
const ISSUER_UNIQUE_ID = 0x81
const SUBJECT_UNIQUE_ID = 0x82
const EXTENSIONS = 0xa3

/** Reads exactly one certificate. @throws IdentityError CERTIFICATE_MALFORMED */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw malformed(`it is longer than ${MAX_CERTIFICATE_BYTES} bytes`)
  }
  const outer = walk(readOnly(der, TAG.sequence))
  const tbs = outer.take(TAG.sequence)
  const algorithm = outer.take(TAG.sequence)
  const signature = bitStringOf(outer.take(TAG.bitString))
  outer.end()
  return {
    ...readTbs(tbs, algorithm),
    der,
    tbs: tbs.raw,
    signatureAlgorithm: algorithm.raw,
    signature,
  }
}

/** Certificates written one after another, as the Workload API hands chains and bundles out. */
export function parseCertificates(concatenated: Uint8Array): readonly Certificate[] {
  const certificates: Certificate[] = []
  for (let offset = 0; offset < concatenated.length; ) {
    if (certificates.length === MAX_CERTIFICATES) {
      throw malformed(`there are more than ${MAX_CERTIFICATES} certificates`)
    }
    const { raw } = readElement(concatenated, offset)
    certificates.push(parseCertificate(raw))
    offset += raw.length
  }
  return certificates
}

/** Importing a key costs more than verifying with it, and few issuers sign most certificates. */
const publicKeys = new WeakMap<Certificate, KeyObject>()

/** @throws IdentityError CERTIFICATE_MALFORMED for a key that is broken, too small or of an unknown kind */
export function publicKeyOf(certificate: Certificate): KeyObject {
  const known = publicKeys.get(certificate)
  if (known !== undefined) return known
  const key = parseSpki(certificate.spki)
  publicKeys.set(certificate, key)
  return key
}

type TbsFields = Omit<Certificate, 'der' | 'tbs' | 'signatureAlgorithm' | 'signature'>

function readTbs(tbs: Element, algorithm: Element): TbsFields {
  const fields = walk(tbs)
  const version = fields.maybe(VERSION)
  const serialNumber = fields.take(TAG.integer)
  if (serialNumber.value.length > MAX_SERIAL_BYTES) {
    throw malformed(`its serial number is longer than ${MAX_SERIAL_BYTES} bytes`)
  }
  const signedAlgorithm = fields.take(TAG.sequence)
  if (Buffer.compare(signedAlgorithm.raw, algorithm.raw) !== 0) {
    throw malformed('it names two different signature algorithms')
  }
  const issuer = fields.take(TAG.sequence).raw
  const [notBefore, notAfter] = readValidity(fields.take(TAG.sequence))
  const subject = fields.take(TAG.sequence).raw
  const spki = fields.take(TAG.sequence).raw
  fields.maybe(ISSUER_UNIQUE_ID) // obsolete, without meaning
  fields.maybe(SUBJECT_UNIQUE_ID)
  const wrapped = fields.maybe(EXTENSIONS)
  fields.end()
  if (version === undefined || bigintOf(readOnly(version.value, TAG.integer)) !== 2n) {
    throw malformed('it is not an X.509 certificate of version 3')
  }
  const serial = bigintOf(serialNumber)
  return {
    ...readExtensions(wrapped && readOnly(wrapped.value, TAG.sequence)),
    serial,
    serialHex: wholeBytes(serial.toString(16)),
    issuer,
    subject,
    notBefore,
    notAfter,
    spki,
  }
}

function readValidity(validity: Element): readonly [Date, Date] {
  const fields = walk(validity)
  const either = () => fields.maybe(TAG.utcTime) ?? fields.take(TAG.generalizedTime)
  const notBefore = timeOf(either())
  const notAfter = timeOf(either())
  fields.end()
  return [notBefore, notAfter]
}

function wholeBytes(hex: string): string {
  return hex.length % 2 === 0 ? hex : `0${hex}`
}
