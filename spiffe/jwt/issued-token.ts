/**
 * Decides whether a JWT of any issuer may be believed, by the key set that its issuer publishes. Unlike JWT-SVIDs these carry
 * whatever claims their issuer likes. Only asymmetric algorithms count, and a key is used with its own algorithm alone;
 * any doubt refuses.
 *
 * @see RFC 7519 §7.2 — validating a JWT; RFC 7517 — JSON Web Key
 */
import { compactVerify, decodeJwt, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { IdentityError, reasonOf } from '../error.ts'

export type IssuedTokenFault =
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'audience'
  | 'no-matching-key'
  | 'signature'

export type IssuedTokenCheck =
  | { readonly kind: 'valid'; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly fault: IssuedTokenFault }

/** The public keys of one issuer. Keys of kinds that are not used here are left out. */
export interface IssuerKeys {
  readonly keys: readonly IssuerKey[]
}

interface IssuerKey {
  readonly keyId: string | undefined
  readonly jwk: JWK
}

export interface VerifyIssuedTokenOptions {
  readonly keys: IssuerKeys
  /** One of them must be in `aud`; empty checks nothing. */
  readonly audiences: readonly string[]
  readonly now: Date
}

/** How far clocks may differ, as in Envoy. */
const LEEWAY_SECONDS = 60
/** Keys of one issuer. */
const MAX_KEYS = 100
/** Keys tried for a token that names none. */
const MAX_TRIED = 10
/** Characters; heads of requests are bounded below this anyway. */
const MAX_TOKEN_CHARS = 64 * 1024

const KEY_TYPE_OF: Readonly<Record<string, string>> = {
  ...{ RS256: 'RSA', RS384: 'RSA', RS512: 'RSA', PS256: 'RSA', PS384: 'RSA', PS512: 'RSA' },
  ...{ ES256: 'EC', ES384: 'EC', ES512: 'EC', EdDSA: 'OKP' },
}
const CURVE_OF: Readonly<Record<string, string>> = {
  ...{ ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519' },
}

/** @throws IdentityError BUNDLE_MALFORMED; the message shows nothing of the keys */
export function parseIssuerKeys(text: string): IssuerKeys {
  const refuse = (why: string): never => {
    throw new IdentityError('BUNDLE_MALFORMED', `not a JWKS: ${why}`)
  }
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    return refuse(reasonOf(error).replace(/".*"/s, 'a text'))
  }
  if (typeof document !== 'object' || document === null || !('keys' in document)) {
    return refuse('it has no list "keys"')
  }
  const { keys } = document
  if (!Array.isArray(keys)) return refuse('"keys" is no list')
  if (keys.length > MAX_KEYS) refuse(`it has ${keys.length} keys, expected at most ${MAX_KEYS}`)
  return { keys: keys.flatMap(usableKey) }
}

function usableKey(jwk: unknown): readonly IssuerKey[] {
  if (typeof jwk !== 'object' || jwk === null || !('kty' in jwk)) return []
  const { kty } = jwk
  if (typeof kty !== 'string' || !['RSA', 'EC', 'OKP'].includes(kty)) return []
  if ('use' in jwk && jwk.use !== undefined && jwk.use !== 'sig') return []
  const keyId = 'kid' in jwk && typeof jwk.kid === 'string' ? jwk.kid : undefined
  // The private half, which does not belong there, is left behind.
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...open } = jwk as JWK
  return [{ keyId, jwk: { ...open, kty } }]
}

/** Never rejects. */
export async function verifyIssuedToken(
  token: string,
  { keys, audiences, now }: VerifyIssuedTokenOptions,
): Promise<IssuedTokenCheck> {
  const read = readToken(token)
  if (read === undefined) return refused('malformed')
  const { claims, algorithm, keyId } = read
  const fault = faultOfClaims(claims, audiences, now)
  if (fault !== undefined) return refused(fault)
  const candidates = keys.keys.filter((key) => fits(key, algorithm, keyId)).slice(0, MAX_TRIED)
  if (candidates.length === 0) return refused('no-matching-key')
  for (const { jwk } of candidates) {
    if (await isSignedBy(token, jwk, algorithm)) return { kind: 'valid', claims }
  }
  return refused('signature')
}

const refused = (fault: IssuedTokenFault): IssuedTokenCheck => ({ kind: 'refused', fault })

interface ReadToken {
  readonly claims: Readonly<Record<string, unknown>>
  readonly algorithm: string
  readonly keyId: string | undefined
}

function readToken(token: string): ReadToken | undefined {
  if (token.length > MAX_TOKEN_CHARS) return undefined
  try {
    const { alg, kid, crit } = decodeProtectedHeader(token)
    // What must be understood and is not refuses the token.
    if (typeof alg !== 'string' || crit !== undefined) return undefined
    return { claims: decodeJwt(token), algorithm: alg, keyId: kid }
  } catch {
    return undefined
  }
}

function faultOfClaims(
  { exp, nbf, aud }: Readonly<Record<string, unknown>>,
  audiences: readonly string[],
  now: Date,
): IssuedTokenFault | undefined {
  const seconds = now.getTime() / 1000
  for (const time of [exp, nbf]) {
    if (time !== undefined && !(typeof time === 'number' && Number.isFinite(time))) {
      return 'malformed'
    }
  }
  if (typeof nbf === 'number' && seconds + LEEWAY_SECONDS < nbf) return 'not-yet-valid'
  if (typeof exp === 'number' && seconds - LEEWAY_SECONDS >= exp) return 'expired'
  const meant: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const isMeant = audiences.length === 0 || audiences.some((one) => meant.includes(one))
  return isMeant ? undefined : 'audience'
}

function fits({ jwk, keyId }: IssuerKey, algorithm: string, wanted: string | undefined): boolean {
  return (
    Object.hasOwn(KEY_TYPE_OF, algorithm) &&
    jwk.kty === KEY_TYPE_OF[algorithm] &&
    (jwk.alg === undefined || jwk.alg === algorithm) &&
    (!Object.hasOwn(CURVE_OF, algorithm) || jwk.crv === CURVE_OF[algorithm]) &&
    (wanted === undefined || keyId === undefined || keyId === wanted)
  )
}

type ImportedKey = Awaited<ReturnType<typeof importJWK>>

/** Reading a key costs more than verifying with it. Entries die with the key set that holds them. */
const imported = new WeakMap<JWK, Map<string, Promise<ImportedKey>>>()

async function isSignedBy(token: string, jwk: JWK, algorithm: string): Promise<boolean> {
  try {
    let byAlgorithm = imported.get(jwk)
    if (byAlgorithm === undefined) {
      byAlgorithm = new Map()
      imported.set(jwk, byAlgorithm)
    }
    let key = byAlgorithm.get(algorithm)
    if (key === undefined) {
      key = importJWK(jwk, algorithm)
      byAlgorithm.set(algorithm, key)
    }
    await compactVerify(token, await key, { algorithms: [algorithm] })
    return true
  } catch {
    return false // a wrong signature, or a key that cannot be read: either way it vouches for nothing
  }
}
