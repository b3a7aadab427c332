/**
 * Asks anew, when bundles have changed, whether a peer of an open connection would still be believed. What merely grew old
 * does not cut a connection: an SVID that was renewed meanwhile, or an authority that ended by itself, so the chain is
 * judged by the time of its handshake. An authority that was taken out of the bundle before its end does cut it, and so does a bundle
 * that is gone.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import { verifyPeer } from '../../spiffe/x509/verify.ts'
import type { VerifiedPeer } from '../../workload/tls/judge-peer.ts'
import { chainKey } from '../../workload/tls/known-chains.ts'

type Bundles = ReadonlyMap<TrustDomain, Bundle>

/** @returns why the peer is not believed any more; undefined when it is */
export function distrustOf(peer: VerifiedPeer, bundles: Bundles, now: Date): string | undefined {
  const { id, chain, verifiedAt, authorityExpiresAt } = peer
  try {
    verifyPeer({ chain, bundles, now: verifiedAt })
    return undefined
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const isKnown = bundles.has(trustDomainOf(id))
    if (isKnown && authorityExpiresAt <= now) return undefined
    return `the peer is not trusted any more: ${error.message}`
  }
}

/** As `distrustOf` for many peers, most of whom show the same few certificates: each chain is verified once. */
export function distrustOnce(
  bundles: Bundles,
  now: Date,
): (peer: VerifiedPeer) => string | undefined {
  const known = new Map<string, string | undefined>()
  return (peer) => {
    const key = chainKey(peer.chain)
    if (known.has(key)) return known.get(key)
    const reason = distrustOf(peer, bundles, now)
    known.set(key, reason)
    return reason
  }
}
