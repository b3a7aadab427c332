/** Whom a listener deals with: one SPIFFE ID, or everybody of a trust domain, written as the ID of that domain. */
import { type Value, value } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import {
  parseSpiffeId,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../spiffe/id.ts'

export type PeerPattern =
  | { readonly kind: 'id'; readonly id: SpiffeId }
  | { readonly kind: 'trust-domain'; readonly trustDomain: TrustDomain }

/** @throws IdentityError SPIFFE_ID_INVALID */
export function parsePeerPattern(text: string): PeerPattern {
  const id = parseSpiffeId(text)
  return pathOf(id) === ''
    ? { kind: 'trust-domain', trustDomain: trustDomainOf(id) }
    : { kind: 'id', id }
}

/** Fails closed: an empty list is nobody. */
export function matchesPeer(patterns: readonly PeerPattern[], id: SpiffeId): boolean {
  const domain = trustDomainOf(id)
  return patterns.some((one) => (one.kind === 'id' ? one.id === id : one.trustDomain === domain))
}

export function showPeerPattern(one: PeerPattern): string {
  return one.kind === 'id' ? one.id : `spiffe://${one.trustDomain}`
}

export function peerPattern(): Value<PeerPattern> {
  return value((node) => {
    if (node.kind !== 'string') return { kind: 'wrong', message: `is a ${node.kind}` }
    try {
      return { kind: 'value', value: parsePeerPattern(node.value) }
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      return { kind: 'wrong', message: `is wrong: ${error.message}` }
    }
  }, 'a SPIFFE ID, or spiffe:// and a trust domain for all of its members')
}
