/** Key pairs: the types that SPIRE knows, how they are made, and how they are written. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { IdentityError } from './error.ts'
import { toPem } from './x509/pem.ts'
import { kindOfKey } from './x509/public-key.ts'

export const KEY_TYPES = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-4096'] as const
export type KeyType = (typeof KEY_TYPES)[number]

const CURVE = { 'ec-p256': 'P-256', 'ec-p384': 'P-384' } as const
const MODULUS_BITS = { 'rsa-2048': 2048, 'rsa-4096': 4096 } as const

const makePair = promisify(generateKeyPair)

/** Makes a private key without blocking the process. */
export async function generateKey(type: KeyType): Promise<KeyObject> {
  const { privateKey } =
    type === 'ec-p256' || type === 'ec-p384'
      ? await makePair('ec', { namedCurve: CURVE[type] })
      : await makePair('rsa', { modulusLength: MODULUS_BITS[type] })
  return privateKey
}

/** PKCS#8, DER, unencrypted: as the Workload API hands keys out. */
export function toPkcs8(key: KeyObject): Buffer {
  return key.export({ type: 'pkcs8', format: 'der' })
}

/** @throws IdentityError CERTIFICATE_MALFORMED; the message says nothing of the bytes */
export function parsePkcs8(der: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), type: 'pkcs8', format: 'der' })
  } catch (cause) {
    throw new IdentityError('CERTIFICATE_MALFORMED', 'not an unencrypted PKCS#8 private key', {
      cause,
    })
  }
}

/** SubjectPublicKeyInfo, DER, of a private or public key. */
export function spkiOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return publicKey.export({ type: 'spki', format: 'der' })
}

/**
 * Reads a SubjectPublicKeyInfo in DER.
 * @throws IdentityError CERTIFICATE_MALFORMED for a key that is broken, too small, too large or of an unknown kind
 */
export function parseSpki(spki: Uint8Array): KeyObject {
  kindOfKey(spki)
  try {
    // As text: Node asks of every object first whether it is a key already, which costs more than reading the key.
    return createPublicKey(toPem('PUBLIC KEY', spki))
  } catch (cause) {
    throw new IdentityError('CERTIFICATE_MALFORMED', 'the public key is not valid', { cause })
  }
}

/** @returns undefined for keys of no type that we make */
export function keyTypeOf(key: KeyObject): KeyType | undefined {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {}
  if (namedCurve === 'prime256v1') return 'ec-p256'
  if (namedCurve === 'secp384r1') return 'ec-p384'
  if (modulusLength === 2048) return 'rsa-2048'
  return modulusLength === 4096 ? 'rsa-4096' : undefined
}
