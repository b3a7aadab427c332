/**
 * One answer of FetchJWTBundles: the keys of each trust domain by themselves. An answer with anything broken in it is
 * refused as a whole.
 *
 * @see Workload-API §6.2.2
 */
import type { JWTBundlesResponse } from '../proto/gen/JWTBundlesResponse.ts'
import { parseJwks } from '../spiffe/bundle/jwks.ts'
import type { Bundle } from '../spiffe/bundle.ts'
import { parseTrustDomain, type TrustDomain } from '../spiffe/id.ts'

export type JwtBundles = ReadonlyMap<TrustDomain, Bundle>

/** @throws IdentityError BUNDLE_MALFORMED, TRUST_DOMAIN_INVALID */
export function readJwtBundles({ bundles }: JWTBundlesResponse): JwtBundles {
  return new Map(
    Object.entries(bundles).map(([id, jwks]) => {
      const trustDomain = parseTrustDomain(id)
      return [trustDomain, parseJwks(jwks.toString('utf8'), trustDomain)]
    }),
  )
}
