/** JWT-SVIDs signed by whatever authority is active. */
import type { Clock } from '../../spiffe/clock.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { signJwtSvid } from '../../spiffe/jwt/sign.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { JwtSigningKey } from '../ca/jwt-signing-key.ts'
import { validityFrom } from '../ca/validity.ts'
import { noAuthority } from './no-authority.ts'

export interface JwtSvidRequest {
  readonly id: SpiffeId
  readonly audience: readonly string[]
  /** 0 for the default. */
  readonly ttlSeconds: number
  /** Whether the token gets an ID of its own. */
  readonly includeJti: boolean
  /** The agent that asks; undefined: it is minted, for whomever. */
  readonly heldBy?: SpiffeId | undefined
}

export interface IssuedJwtSvid {
  readonly token: string
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** The authority that signed it: the `kid` of the token. */
  readonly authorityId: string
}

export interface JwtSvidDeps {
  readonly authorities: Pick<Authorities<JwtSigningKey>, 'signer'>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  readonly jwtIssuer: string | undefined
}

const JTI_BYTES = 16

export async function signJwtSvidWith(
  { authorities, clock, randomBytes, jwtIssuer }: JwtSvidDeps,
  { id, audience, ttlSeconds, includeJti }: JwtSvidRequest,
): Promise<IssuedJwtSvid> {
  const signer = authorities.signer()
  if (signer === undefined) throw noAuthority('JWT')
  const { id: authorityId, expiresAt: latest } = signer.authority
  const { issuedAt, expiresAt } = validityFrom(clock.now(), ttlSeconds, latest)
  const token = await signJwtSvid({
    key: signer.key,
    keyId: authorityId,
    id,
    audience,
    issuedAt,
    expiresAt,
    ...(jwtIssuer === undefined ? {} : { issuer: jwtIssuer }),
    ...(includeJti ? { jti: Buffer.from(randomBytes(JTI_BYTES)).toString('base64url') } : {}),
  })
  return { token, issuedAt, expiresAt, authorityId }
}
