/**
 * Names of keys: SHA-1 over the bits of the public key. They tell keys apart and prove nothing.
 *
 * @see RFC 5280 §4.2.1.2 method 1
 */
import { hash } from 'node:crypto'
import { parseCertificate } from './certificate.ts'
import { bitStringOf, readOnly, TAG, walk } from './der.ts'

/** @param spki SubjectPublicKeyInfo, DER */
export function keyIdOf(spki: Uint8Array): Buffer {
  const fields = walk(readOnly(spki, TAG.sequence))
  fields.take(TAG.sequence)
  const key = bitStringOf(fields.take(TAG.bitString))
  return hash('sha1', key, 'buffer')
}

/** The ID by which an X.509 authority is known: lower-case hex of its subject key identifier. */
export function authorityIdOf(certificate: Uint8Array): string {
  const { subjectKeyId, spki } = parseCertificate(certificate)
  return subjectKeyId ?? keyIdOf(spki).toString('hex')
}
