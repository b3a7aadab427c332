/**
 * The identities of an Istio mesh: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`, these five parts and no
 * more.
 *
 * @see Mesh issuance §2.2 and §2.4
 */
import type { ServiceAccountName } from '../../../kubernetes/review-token.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import {
  parseSpiffeId,
  pathOf,
  type SpiffeId,
  spiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../../spiffe/id.ts'

const PATH = /^\/ns\/(?<namespace>[^/]+)\/sa\/(?<name>[^/]+)$/

/** @throws IdentityError SPIFFE_ID_INVALID */
export function istioIdentity(
  trustDomain: TrustDomain,
  { namespace, name }: ServiceAccountName,
): SpiffeId {
  return spiffeId(trustDomain, `/ns/${namespace}/sa/${name}`)
}

/** @throws IdentityError SPIFFE_ID_INVALID also for identities of another trust domain, which are never ours to sign */
export function parseIstioIdentity(
  text: string,
  trustDomain: TrustDomain,
): { readonly id: SpiffeId; readonly account: ServiceAccountName } {
  const id = parseSpiffeId(text)
  const { namespace, name } = PATH.exec(pathOf(id))?.groups ?? {}
  if (namespace === undefined || name === undefined) {
    throw invalid(`${id} is not of the form spiffe://<trust domain>/ns/<namespace>/sa/<name>`)
  }
  if (trustDomainOf(id) !== trustDomain) {
    throw invalid(`${id} is of trust domain ${trustDomainOf(id)}, expected ${trustDomain}`)
  }
  return { id, account: { namespace, name } }
}

function invalid(why: string): IdentityError {
  return new IdentityError('SPIFFE_ID_INVALID', why)
}
