/**
 * Public keys as JSON Web Keys, in the order of members that go-jose writes.
 * Kinds of keys that no SVID is signed with are told apart from broken keys.
 *
 * @see RFC 7517 §4, RFC 7518 §6, RFC 8037 §2
 */
import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto'
import { IdentityError } from '../error.ts'
import { parseSpki } from '../key.ts'
import type { Json, JsonObject } from './strict-json.ts'

export type Jwk =
  | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'OKP'; readonly crv: string; readonly x: string }

const CURVES: ReadonlySet<Json | undefined> = new Set(['P-256', 'P-384', 'P-521'])
const RSA_BITS = { min: 2048, max: 8192 } as const

/**
 * @param spki SubjectPublicKeyInfo, DER
 * @returns undefined for what no reader would take, be it of an unknown kind, too small or broken: it vouches for
 *   nobody, and must not keep the other keys of a document from being written
 */
export function toJwk(spki: Uint8Array): Jwk | undefined {
  const { kty, crv = '', x = '', y = '', n = '', e = '' } = exportJwk(spki)
  if (kty === 'EC' && CURVES.has(crv)) return { kty, crv, x, y }
  if (kty === 'OKP' && crv === 'Ed25519') return { kty, crv, x }
  return kty === 'RSA' ? { kty, n, e } : undefined
}

/**
 * @returns SubjectPublicKeyInfo, DER; undefined when the kind of key is not known
 * @throws IdentityError BUNDLE_MALFORMED when it is known and broken
 */
export function fromJwk(jwk: JsonObject): Uint8Array | undefined {
  const { kty, crv, x, y, n, e } = jwk
  if (kty === 'EC') return CURVES.has(crv) ? importJwk({ kty, crv, x, y }) : undefined
  if (kty === 'OKP') return crv === 'Ed25519' ? importJwk({ kty, crv, x }) : undefined
  return kty === 'RSA' ? importJwk({ kty, n, e }) : undefined
}

function importJwk(members: Readonly<Record<string, Json | undefined>>): Uint8Array {
  let key: KeyObject
  try {
    key = createPublicKey({ format: 'jwk', key: { ...members } })
  } catch (cause) {
    throw new IdentityError('BUNDLE_MALFORMED', `JWK is not a valid ${members.kty} public key`, {
      cause,
    })
  }
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && (bits < RSA_BITS.min || bits > RSA_BITS.max)) {
    throw new IdentityError(
      'BUNDLE_MALFORMED',
      `JWK is an RSA key of ${bits} bits, expected ${RSA_BITS.min} to ${RSA_BITS.max}`,
    )
  }
  return key.export({ type: 'spki', format: 'der' })
}

function exportJwk(spki: Uint8Array): webcrypto.JsonWebKey {
  try {
    return parseSpki(spki).export({ format: 'jwk' })
  } catch (error) {
    if (error instanceof IdentityError) return {}
    throw error
  }
}
