/**
 * Whom a listener deals with at all, before any policy: members of our own trust domain, of its aliases and of the trust
 * domains that the operator federates with, narrowed down to the listener's own list where it has one. A bundle alone admits
 * nobody: an agent may know bundles for other reasons. Fails closed.
 */
import { type SpiffeId, type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import type { Authorize } from '../../workload/tls/authorize.ts'
import { matchesPeer, type PeerPattern } from '../config/peer-pattern.ts'

export interface AcceptedDomains {
  readonly trustDomain: TrustDomain
  readonly aliases: readonly TrustDomain[]
  readonly federated: readonly TrustDomain[]
}

/** For those who call us. @param patterns undefined: no further narrowing */
export function acceptClients(
  { trustDomain, aliases, federated }: AcceptedDomains,
  patterns: readonly PeerPattern[] | undefined,
): Authorize {
  const domains: ReadonlySet<TrustDomain> = new Set([trustDomain, ...aliases, ...federated])
  return (id: SpiffeId) =>
    domains.has(trustDomainOf(id)) && (patterns === undefined || matchesPeer(patterns, id))
}

/** For those whom we call: exactly who was configured, whose trust domain is thereby named too. */
export function acceptServers(patterns: readonly PeerPattern[]): Authorize {
  return (id: SpiffeId) => matchesPeer(patterns, id)
}
