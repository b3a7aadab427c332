/**
 * Reads a JWT-SVID: form, algorithm, subject and claims. Nothing here vouches for it: that is `verify.ts`.
 *
 * @see JWT-SVID §2 — header, §3 — claims
 */
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { parseStrictJson } from '../bundle/strict-json.ts'
import { fromUnixSeconds } from '../clock.ts'
import { IdentityError, reasonOf } from '../error.ts'
import { parseSpiffeId, type SpiffeId } from '../id.ts'
import { isJwtAlgorithm, JWT_ALGORITHMS, type JwtAlgorithm } from './algorithm.ts'

export interface JwtSvid {
  readonly id: SpiffeId
  readonly audience: readonly string[]
  readonly expiresAt: Date
  readonly issuedAt: Date | undefined
  readonly notBefore: Date | undefined
  readonly keyId: string | undefined
  readonly algorithm: JwtAlgorithm
  /** All claims as they are in the token. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Longer than any header of HTTP or gRPC would carry. */
const MAX_TOKEN_BYTES = 16 * 1024
/** Three base64url parts: the compact serialization, and nothing else. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** The last instant a Date can hold, in seconds. */
const MAX_UNIX_SECONDS = 8_640_000_000_000

/**
 * Reads a token without checking its signature or its times, e.g. to see when one's own token expires.
 * @param audience when given, one of these must be in `aud`
 * @throws IdentityError JWT_SVID_INVALID; the message never carries the token
 */
export function parseJwtSvid(token: string, audience: readonly string[] = []): JwtSvid {
  if (token.length > MAX_TOKEN_BYTES) throw invalid(`token is longer than ${MAX_TOKEN_BYTES} bytes`)
  if (!COMPACT.test(token) || !token.split('.').every(isCanonical)) {
    throw invalid('token is not a JWS in compact serialization')
  }
  // The algorithm is judged before anything else is looked at (§2.1).
  const [protectedHeader = '', payload = ''] = token.split('.')
  const header = decode('header', protectedHeader, () => decodeProtectedHeader(token))
  const { alg, kid, typ } = header
  if (!isJwtAlgorithm(alg)) {
    throw invalid(
      `token algorithm ${JSON.stringify(alg)} is not one of ${JWT_ALGORITHMS.join(', ')}`,
    )
  }
  // Fails closed: whoever sets `crit` or `b64` wants semantics that we do not have.
  if ('crit' in header || 'b64' in header) throw invalid('token header has critical parameters')
  if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE') {
    throw invalid('token header type not equal to either JWT or JOSE')
  }
  if (kid !== undefined && typeof kid !== 'string') throw invalid('token key ID is not a string')
  return {
    ...readClaims(
      decode('claims', payload, () => decodeJwt(token)),
      audience,
    ),
    keyId: kid,
    algorithm: alg,
  }
}

/** Of the spellings of the same bytes only one is taken, so that nobody can make a second token of one. */
function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url
}

function readClaims(
  claims: Readonly<Record<string, unknown>>,
  wanted: readonly string[],
): Omit<JwtSvid, 'keyId' | 'algorithm'> {
  const { sub, exp, iat, nbf } = claims
  if (sub === undefined || sub === '') throw invalid('token missing subject claim')
  if (exp === undefined) throw invalid('token missing exp claim')
  const audience = readAudience(claims.aud)
  if (wanted.length > 0 && !wanted.some((one) => audience.includes(one))) {
    throw invalid(`expected audience in ${quoted(wanted)} (audience=${quoted(audience)})`)
  }
  return {
    id: readSubject(sub),
    audience,
    expiresAt: readTime('exp', exp),
    issuedAt: iat === undefined ? undefined : readTime('iat', iat),
    notBefore: nbf === undefined ? undefined : readTime('nbf', nbf),
    claims,
  }
}

function readSubject(sub: unknown): SpiffeId {
  if (typeof sub !== 'string') throw invalid('token has an invalid subject claim: not a string')
  try {
    return parseSpiffeId(sub)
  } catch (cause) {
    throw invalid(`token has an invalid subject claim: ${reasonOf(cause)}`, cause)
  }
}

function readAudience(aud: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const audience = list.filter((one) => typeof one === 'string')
  if (audience.length < list.length || audience.length === 0) {
    throw invalid('token missing aud claim, expected a string or a list of strings')
  }
  return audience
}

function readTime(name: string, value: unknown): Date {
  if (typeof value !== 'number' || !(Math.abs(value) <= MAX_UNIX_SECONDS)) {
    throw invalid(`token has an invalid ${name} claim, expected seconds since 1970`)
  }
  return fromUnixSeconds(value)
}

/** Fails closed: of a member that is there twice one reader takes the first, another the last. */
function decode<T>(what: string, part: string, read: () => T): T {
  try {
    parseStrictJson(Buffer.from(part, 'base64url').toString())
    return read()
  } catch (cause) {
    throw invalid(`unable to parse JWT token: malformed ${what}`, cause)
  }
}

function quoted(list: readonly string[]): string {
  return `[${list.map((one) => JSON.stringify(one)).join(' ')}]`
}

export function invalid(why: string, cause?: unknown): IdentityError {
  return new IdentityError('JWT_SVID_INVALID', why, { cause })
}
