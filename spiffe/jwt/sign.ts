/**
 * Makes JWT-SVIDs with exactly the header and claims that SPIRE's have.
 *
 * @see JWT-SVID §2 — header, §3 — claims
 */
import type { KeyObject } from 'node:crypto'
import { unixSeconds } from '../clock.ts'
import { IdentityError } from '../error.ts'
import type { SpiffeId } from '../id.ts'
import { jwtAlgorithmOf } from './algorithm.ts'

export interface JwtSvidParams {
  /** Private; its type decides the algorithm. */
  readonly key: KeyObject
  readonly keyId: string
  readonly id: SpiffeId
  /** Empty strings are dropped; at least one must be left. */
  readonly audience: readonly string[]
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly issuer?: string | undefined
  readonly jti?: string | undefined
}

/** Loaded with the first token: many a server is never asked for one, and starts sooner without. */
let library: Promise<typeof import('jose')> | undefined

/** @throws IdentityError REQUEST_INVALID without an audience */
export function signJwtSvid(params: JwtSvidParams): Promise<string> {
  const { key, keyId, id, issuedAt, expiresAt, issuer, jti } = params
  const audience = params.audience.filter((one) => one !== '')
  if (audience.length === 0) {
    throw new IdentityError('REQUEST_INVALID', 'audience is required')
  }
  const claims = {
    // Always a list, even of one: validators of SPIRE's tokens rely on it.
    aud: audience,
    exp: unixSeconds(expiresAt),
    iat: unixSeconds(issuedAt),
    ...(issuer && { iss: issuer }),
    ...(jti && { jti }),
    sub: id,
  }
  const header = { alg: jwtAlgorithmOf(key), kid: keyId, typ: 'JWT' }
  library ??= import('jose')
  return library.then(({ SignJWT }) => new SignJWT(claims).setProtectedHeader(header).sign(key))
}
