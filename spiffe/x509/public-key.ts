/**
 * Public keys in certificates and requests: the kinds that are believed, checked before OpenSSL sees them. Curves
 * given by their parameters instead of their name, small or huge RSA keys and unknown kinds are refused.
 *
 * @see RFC 5480 §2, RFC 3279 §2.3.1, RFC 8410 §4
 */
import type { IdentityError } from '../error.ts'
import { bigintOf, bitStringOf, malformed, oidOf, readOnly, TAG, walk } from './der.ts'
import { OID } from './oid.ts'

export type KeyKind = 'ec' | 'rsa' | 'ed25519'

const COORDINATE_BYTES: Readonly<Record<string, number>> = {
  [OID.p256]: 32,
  [OID.p384]: 48,
  [OID.p521]: 66,
}
const UNCOMPRESSED_POINT = 0x04
const ED25519_BYTES = 32
/** Below, keys can be broken; above, one verification costs too much. */
export const RSA_BITS = { min: 2048, max: 8192 } as const
/** An even or giant exponent is a mistake or an attack. */
const MAX_EXPONENT = 2n ** 32n

/** @returns what kind of key it is @throws IdentityError CERTIFICATE_MALFORMED */
export function kindOfKey(spki: Uint8Array): KeyKind {
  const fields = walk(readOnly(spki, TAG.sequence))
  const algorithm = walk(fields.take(TAG.sequence))
  const bytes = bitStringOf(fields.take(TAG.bitString))
  fields.end()
  const kind = oidOf(algorithm.take(TAG.oid))
  switch (kind) {
    case OID.ecPublicKey: {
      const curve = oidOf(algorithm.take(TAG.oid))
      algorithm.end()
      checkPoint(curve, bytes)
      return 'ec'
    }
    case OID.rsaEncryption:
      algorithm.take(TAG.null)
      algorithm.end()
      checkRsa(bytes)
      return 'rsa'
    case OID.ed25519:
      algorithm.end()
      if (bytes.length !== ED25519_BYTES) throw refused('an Ed25519 key must have 32 bytes')
      return 'ed25519'
    default:
      throw refused(`keys of kind ${kind} are not supported`)
  }
}

function checkPoint(curve: string, point: Uint8Array): void {
  const size = COORDINATE_BYTES[curve]
  if (size === undefined) throw refused(`the curve ${curve} is not P-256, P-384 or P-521`)
  if (point[0] !== UNCOMPRESSED_POINT || point.length !== 1 + 2 * size) {
    throw refused('an EC key must be an uncompressed point of its curve')
  }
}

function checkRsa(bytes: Uint8Array): void {
  const fields = walk(readOnly(bytes, TAG.sequence))
  const modulus = fields.take(TAG.integer)
  const exponent = bigintOf(fields.take(TAG.integer))
  fields.end()
  const size = bigintOf(modulus).toString(2).length
  if (size < RSA_BITS.min || size > RSA_BITS.max) {
    throw refused(`RSA key of ${size} bits, expected ${RSA_BITS.min} to ${RSA_BITS.max}`)
  }
  if (exponent < 3n || exponent > MAX_EXPONENT || exponent % 2n === 0n) {
    throw refused('RSA key with an exponent that is even, below 3 or above 2^32')
  }
}

function refused(why: string): IdentityError {
  return malformed(`public key: ${why}`)
}
