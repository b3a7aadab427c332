/**
 * Proof that somebody has the private key of a certificate: a signature over two nonces, one of each side, so that
 * neither can make the other sign what it likes.
 *
 * @see SPIRE behaviour §2 — x509pop
 */
import { constants, type KeyObject, sign, verify } from 'node:crypto'
import { IdentityError } from '../error.ts'

/** Of each nonce. */
export const NONCE_BYTES = 32

export type Possession =
  | { readonly kind: 'rsa'; readonly nonce: Uint8Array; readonly signature: Uint8Array }
  | {
      readonly kind: 'ecdsa'
      readonly nonce: Uint8Array
      /** Big-endian, without leading zeros. */
      readonly r: Uint8Array
      readonly s: Uint8Array
    }

export type PossessionKind = Possession['kind']

/** What the signatures hash, whatever the curve. */
const HASH = 'sha256'
const COORDINATE_BYTES: Readonly<Record<string, number>> = {
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
}

/** @returns undefined for keys that cannot prove themselves in this way */
export function possessionKindOf({ asymmetricKeyType }: KeyObject): PossessionKind | undefined {
  if (asymmetricKeyType === 'rsa') return 'rsa'
  return asymmetricKeyType === 'ec' ? 'ecdsa' : undefined
}

/**
 * Answers a challenge.
 * @param challenge the nonce of the other side
 * @param nonce our own
 * @throws IdentityError REQUEST_INVALID for a nonce of another length, CONFIG_INVALID for a key of another kind
 */
export function provePossession(
  key: KeyObject,
  challenge: Uint8Array,
  nonce: Uint8Array,
): Possession {
  if (challenge.length !== NONCE_BYTES) {
    const why = `challenge with a nonce of ${challenge.length} bytes, expected ${NONCE_BYTES}`
    throw new IdentityError('REQUEST_INVALID', why)
  }
  const signed = Buffer.concat([challenge, nonce])
  const kind = possessionKindOf(key)
  switch (kind) {
    case 'rsa':
      return { kind, nonce, signature: sign(HASH, signed, { key, ...PSS }) }
    case 'ecdsa': {
      const both = sign(HASH, signed, { key, dsaEncoding: 'ieee-p1363' })
      const half = both.length / 2
      return { kind, nonce, r: trim(both.subarray(0, half)), s: trim(both.subarray(half)) }
    }
    case undefined:
      throw new IdentityError(
        'CONFIG_INVALID',
        `a key of type ${key.asymmetricKeyType} cannot prove its possession, expected RSA or EC`,
      )
    default:
      return kind satisfies never
  }
}

/** Whether the owner of `key` answered this very challenge. False on any doubt. */
export function isPossessionProven(
  key: KeyObject,
  challenge: Uint8Array,
  proof: Possession,
): boolean {
  if (proof.nonce.length !== NONCE_BYTES || proof.kind !== possessionKindOf(key)) return false
  const signed = Buffer.concat([challenge, proof.nonce])
  if (proof.kind === 'rsa') return isSigned(signed, { key, ...PSS }, proof.signature)
  const size = COORDINATE_BYTES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 0
  const r = trim(proof.r)
  const s = trim(proof.s)
  if (r.length > size || s.length > size) return false
  const signature = Buffer.alloc(2 * size)
  signature.set(r, size - r.length)
  signature.set(s, 2 * size - s.length)
  return isSigned(signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** Go signs with the longest salt there is room for and takes any. */
const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_AUTO,
} as const

function isSigned(
  data: Uint8Array,
  key: Parameters<typeof verify>[2],
  signature: Uint8Array,
): boolean {
  try {
    return verify(HASH, data, key, signature)
  } catch {
    return false // a signature that cannot even be read
  }
}

function trim(integer: Uint8Array): Uint8Array {
  const first = integer.findIndex((byte) => byte !== 0)
  return first === -1 ? integer.subarray(integer.length) : integer.subarray(first)
}
