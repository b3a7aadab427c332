/**
 * Who may be at the other end of a connection, decided by the SPIFFE ID alone. The ID has been verified before any of
 * these is asked; whatever does not answer exactly `true` refuses.
 */
import { parseSpiffeId, parseTrustDomain, type SpiffeId, trustDomainOf } from '../../spiffe/id.ts'

export type Authorize = (id: SpiffeId) => boolean

/** Only these. @throws IdentityError SPIFFE_ID_INVALID */
export function authorizeId(...ids: readonly [string, ...string[]]): Authorize {
  const allowed = new Set(ids.map(parseSpiffeId))
  return (id) => allowed.has(id)
}

/** Everybody of a trust domain, given by name or by ID. @throws IdentityError TRUST_DOMAIN_INVALID */
export function authorizeMemberOf(trustDomain: string): Authorize {
  const allowed = parseTrustDomain(trustDomain)
  return (id) => trustDomainOf(id) === allowed
}

/** Everybody whose identity can be verified, of federated trust domains too: the program decides later. */
export function authorizeAny(): Authorize {
  return () => true
}
