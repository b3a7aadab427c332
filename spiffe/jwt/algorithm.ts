/**
 * The nine signature algorithms of JWT-SVIDs, and which key each of them takes. A key is never used with an
 * algorithm of another family or curve.
 *
 * @see JWT-SVID §2.1, RFC 7518 §3.1
 */
import type { KeyObject } from 'node:crypto'
import { IdentityError } from '../error.ts'

export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
] as const

export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]

const ALGORITHM_OF_CURVE: Readonly<Record<string, JwtAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}

/** RFC 7518 §3.3. */
const MIN_RSA_BITS = 2048

export function isJwtAlgorithm(alg: unknown): alg is JwtAlgorithm {
  return JWT_ALGORITHMS.some((one) => one === alg)
}

/** Whether a key may verify that algorithm. False on any doubt. */
export function fits(key: KeyObject, algorithm: JwtAlgorithm): boolean {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') {
    return namedCurve !== undefined && ALGORITHM_OF_CURVE[namedCurve] === algorithm
  }
  return (
    key.asymmetricKeyType === 'rsa' &&
    !algorithm.startsWith('ES') &&
    (modulusLength ?? 0) >= MIN_RSA_BITS
  )
}

/** What a key of ours signs JWT-SVIDs with. @throws IdentityError INTERNAL for a key that cannot */
export function jwtAlgorithmOf(key: KeyObject): JwtAlgorithm {
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'RS256' : ALGORITHM_OF_CURVE[namedCurve]
  if (algorithm === undefined || !fits(key, algorithm)) {
    throw new IdentityError(
      'INTERNAL',
      `cannot sign JWT-SVIDs with a key of type ${namedCurve || key.asymmetricKeyType}`,
    )
  }
  return algorithm
}
