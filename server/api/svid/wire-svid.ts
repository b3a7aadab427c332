/** JWT-SVIDs, issued and put on the wire. */
import type { JWTSVIDInput } from '../../../proto/gen/spire/api/types/JWTSVID.ts'
import { toWireId } from '../../../proto/wire.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import type { Issuer } from '../../issue/issuer.ts'
import { invalid } from '../refusal.ts'

export interface JwtSvidDeps {
  readonly issuer: Pick<Issuer, 'issueJwtSvid'>
  readonly disableJwtSvids: boolean
}

export interface WantedJwtSvid {
  /** Asked for only if JWT-SVIDs are given at all; throws what is wrong with it. */
  readonly id: () => SpiffeId
  readonly audience: readonly string[]
  readonly ttlSeconds: number
  readonly includeJti: boolean
  /** The agent that asks; undefined: it is minted. */
  readonly heldBy?: SpiffeId
}

export async function issueWireJwtSvid(
  { id: readId, audience: wanted, ttlSeconds, includeJti, heldBy }: WantedJwtSvid,
  { issuer, disableJwtSvids }: JwtSvidDeps,
): Promise<JWTSVIDInput> {
  mustGiveJwtSvids(disableJwtSvids)
  const id = readId()
  if (wanted.length === 0) throw invalid('at least one audience is required')
  const audience = wanted.filter((one) => one !== '')
  if (audience.length === 0) {
    throw invalid('failed to sign JWT-SVID: invalid JWT-SVID audience: cannot be empty')
  }
  const { token, issuedAt, expiresAt } = await issuer.issueJwtSvid({
    id,
    audience,
    ttlSeconds,
    includeJti,
    heldBy,
  })
  return {
    token,
    id: toWireId(id),
    issued_at: unixSeconds(issuedAt),
    expires_at: unixSeconds(expiresAt),
  }
}

export function mustGiveJwtSvids(disableJwtSvids: boolean): void {
  if (disableJwtSvids) {
    throw new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
  }
}
