/**
 * Signs X509-SVIDs. All that one issuer's certificates have in common is encoded once; a certificate then costs
 * a few copies and one signature.
 *
 * Key usage follows the kind of key, where SPIRE sets the same for all: an EC key gets no keyEncipherment
 * (RFC 5480 §3), an RSA key no keyAgreement (RFC 3279 §2.3.1), an Ed25519 key neither (RFC 8410 §5).
 *
 * @see X509-SVID §2 and §4
 */
import type { KeyObject } from 'node:crypto'
import { IdentityError } from '../error.ts'
import { pathOf, type SpiffeId } from '../id.ts'
import { spkiOf } from '../key.ts'
import { parseCertificate } from './certificate.ts'
import { bits, boolean, encode, integer, octets, oid, sequence, time } from './der-write.ts'
import { altNamesExtension } from './general-names.ts'
import { keyIdOf } from './key-id.ts'
import { isEmptyName, SVID_SUBJECT, withCommonName } from './name.ts'
import { OID } from './oid.ts'
import { type KeyKind, kindOfKey } from './public-key.ts'
import { signerOf } from './signature.ts'

export interface LeafFields {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /**
   * With a path: an ID without one is that of an authority. Undefined for meshes whose identities are DNS names: what
   * names no SPIFFE ID is an X509-SVID to nobody.
   */
  readonly id: SpiffeId | undefined
  /** The first becomes the common name. */
  readonly dnsNames: readonly string[]
  /** DER name; C=US, O=SPIRE when left out. */
  readonly subject?: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** Big-endian, 1 to 20 bytes, not all zero. */
  readonly serial: Uint8Array
}

/** Signs with one issuer's key under its name, and gives the DER of the certificate. */
export type LeafSigner = (fields: LeafFields) => Buffer

const VERSION_3 = encode(0xa0, integer(Buffer.of(2)))
const EXTENSIONS = 0xa3
const MAX_SERIAL_BYTES = 20

const KEY_USAGE: Readonly<Record<KeyKind, Buffer>> = {
  ec: keyUsage(0b1000_1000, 3), // digitalSignature, keyAgreement
  rsa: keyUsage(0b1010_0000, 5), // digitalSignature, keyEncipherment
  ed25519: keyUsage(0b1000_0000, 7), // digitalSignature
}
const COMMON = Buffer.concat([
  sequence(oid(OID.extKeyUsage), octets(sequence(oid(OID.serverAuth), oid(OID.clientAuth)))),
  sequence(oid(OID.basicConstraints), boolean(true), octets(sequence())),
])
const SUBJECT_KEY_ID = oid(OID.subjectKeyIdentifier)

/** @throws IdentityError INTERNAL when the key is not the one of the certificate */
export function leafSigner(issuer: {
  /** DER of the CA certificate. */
  readonly certificate: Uint8Array
  /** Private. */
  readonly key: KeyObject
}): LeafSigner {
  const authority = parseCertificate(issuer.certificate)
  if (Buffer.compare(spkiOf(issuer.key), authority.spki) !== 0) {
    throw new IdentityError('INTERNAL', 'the CA key does not belong to the CA certificate')
  }
  const { identifier, sign } = signerOf(issuer.key)
  const algorithmAndIssuer = Buffer.concat([identifier, authority.subject])
  const authorityKeyId = authorityKeyIdExtension(
    authority.subjectKeyId === undefined
      ? keyIdOf(authority.spki)
      : Buffer.from(authority.subjectKeyId, 'hex'),
  )
  const validity = rememberedValidity()
  return ({ spki, id, dnsNames, subject: given = SVID_SUBJECT, notBefore, notAfter, serial }) => {
    if (id !== undefined && pathOf(id) === '') {
      throw new IdentityError('SPIFFE_ID_INVALID', `${id} has no path, an X509-SVID needs one`)
    }
    const [commonName] = dnsNames
    if (id === undefined && commonName === undefined) {
      throw new IdentityError('INTERNAL', 'a certificate needs a name')
    }
    const subject = commonName === undefined ? given : withCommonName(given, commonName)
    const tbs = sequence(
      VERSION_3,
      encodeSerial(serial),
      algorithmAndIssuer,
      validity(notBefore, notAfter),
      subject,
      spki,
      encode(
        EXTENSIONS,
        sequence(
          KEY_USAGE[kindOfKey(spki)],
          COMMON,
          sequence(SUBJECT_KEY_ID, octets(octets(keyIdOf(spki)))),
          authorityKeyId,
          // RFC 5280 §4.2.1.6: without a subject this is the only name, so it must be critical.
          altNamesExtension(
            { uriSans: id === undefined ? [] : [id], dnsNames },
            isEmptyName(subject),
          ),
        ),
      ),
    )
    return sequence(tbs, identifier, bits(sign(tbs)))
  }
}

/** Certificates of one second mostly have the same life: the last one written is kept. */
function rememberedValidity(): (notBefore: Date, notAfter: Date) => Buffer {
  let last: { readonly from: number; readonly to: number; readonly der: Buffer } | undefined
  return (notBefore, notAfter) => {
    const [from, to] = [notBefore.getTime(), notAfter.getTime()]
    if (last?.from !== from || last.to !== to) {
      last = { from, to, der: sequence(time(notBefore), time(notAfter)) }
    }
    return last.der
  }
}

/** @throws IdentityError INTERNAL unless the encoding has 1 to 20 bytes and is positive (RFC 5280 §4.1.2.2) */
export function encodeSerial(serial: Uint8Array): Buffer {
  const encoded = integer(serial)
  const [, length = 0] = encoded
  if (length > MAX_SERIAL_BYTES || serial.every((byte) => byte === 0)) {
    throw new IdentityError(
      'INTERNAL',
      `a serial number must be positive and at most ${MAX_SERIAL_BYTES} bytes`,
    )
  }
  return encoded
}

function authorityKeyIdExtension(keyId: Uint8Array): Buffer {
  return sequence(oid(OID.authorityKeyIdentifier), octets(sequence(encode(0x80, keyId))))
}

function keyUsage(mask: number, unusedBits: number): Buffer {
  return sequence(oid(OID.keyUsage), boolean(true), octets(bits(Buffer.of(mask), unusedBits)))
}
