/**
 * ValidateJWTSVID: the agent checks a token for a workload that cannot. Of tokens of other trust domains it shows the
 * claims that SPIFFE defines and those that the operator allows; what else is in them is that domain's business.
 *
 * @see Workload-API §6.2.3
 */
import type { ValidateJWTSVIDRequest } from '../../proto/gen/ValidateJWTSVIDRequest.ts'
import type { ValidateJWTSVIDResponseInput } from '../../proto/gen/ValidateJWTSVIDResponse.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import { verifyJwtSvid } from '../../spiffe/jwt/verify.ts'
import { toStruct } from './struct.ts'
import type { AnswerDeps } from './workload.ts'

const SPIFFE_CLAIMS = ['sub', 'exp', 'aud'] as const

type Claims = Readonly<Record<string, unknown>>

/** @throws IdentityError REQUEST_INVALID for a missing field, JWT_SVID_INVALID for a token that is not accepted */
export async function validateJwtSvid(
  { source, clock, allowedForeignJwtClaims }: AnswerDeps,
  { audience, svid }: ValidateJWTSVIDRequest,
): Promise<ValidateJWTSVIDResponseInput> {
  if (audience === '') throw new IdentityError('REQUEST_INVALID', 'audience must be specified')
  if (svid === '') throw new IdentityError('REQUEST_INVALID', 'svid must be specified')
  const { own, federated } = source.bundles()
  const bundles = new Map<TrustDomain, Bundle>([...federated, [own.trustDomain, own]])
  const verified = await verifyJwtSvid(svid, { bundles, audience, now: clock.now() })
  const claims = { ...verified.claims, aud: verified.audience }
  const isOwn = trustDomainOf(verified.id) === own.trustDomain
  return {
    spiffe_id: verified.id,
    claims: toStruct(isOwn ? claims : pick(claims, [...SPIFFE_CLAIMS, ...allowedForeignJwtClaims])),
  }
}

function pick(claims: Claims, names: readonly string[]): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => names.includes(name)))
}
