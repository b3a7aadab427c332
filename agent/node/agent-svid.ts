/**
 * The agent's own X509-SVID. One is made only of a chain whose leaf belongs to the key at hand and names an agent
 * of our trust domain.
 */
import type { KeyObject } from 'node:crypto'
import { IdentityError } from '../../spiffe/error.ts'
import {
  isAgentId,
  parseSpiffeId,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../spiffe/id.ts'
import { spkiOf } from '../../spiffe/key.ts'
import { type Certificate, parseCertificate } from '../../spiffe/x509/certificate.ts'

export interface AgentSvid {
  readonly id: SpiffeId
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly key: KeyObject
  readonly notBefore: Date
  readonly expiresAt: Date
  /** The agent can attest again by itself, and renews its SVID in that way. */
  readonly reattestable: boolean
  /** Key IDs of the authorities in the chain, hex. */
  readonly authorityKeyIds: readonly string[]
}

export interface AgentSvidParts {
  readonly chain: readonly Uint8Array[]
  readonly key: KeyObject
  readonly reattestable: boolean
  readonly trustDomain: TrustDomain
}

/** @throws IdentityError CERTIFICATE_MALFORMED or CERTIFICATE_UNTRUSTED */
export function agentSvid({ chain, key, reattestable, trustDomain }: AgentSvidParts): AgentSvid {
  const certificates = chain.map(parseCertificate)
  const [leaf] = certificates
  if (leaf === undefined) throw refused('has no certificate')
  if (!spkiOf(key).equals(leaf.spki)) throw refused('is not for the key of this agent')
  const [uri, second] = leaf.uriSans
  if (uri === undefined || second !== undefined) throw refused('does not have exactly one URI SAN')
  const id = parseSpiffeId(uri)
  if (trustDomainOf(id) !== trustDomain || !isAgentId(id)) {
    throw refused(`is for ${id}, expected spiffe://${trustDomain}/spire/agent/…`)
  }
  return {
    id,
    chain,
    key,
    notBefore: leaf.notBefore,
    expiresAt: leaf.notAfter,
    reattestable,
    authorityKeyIds: authorityKeyIdsOf(certificates),
  }
}

/** Who signed each certificate of a chain, as far as the chain says. */
export function authorityKeyIdsOf(chain: readonly Certificate[]): readonly string[] {
  return chain.flatMap(({ authorityKeyId }) => authorityKeyId ?? [])
}

function refused(why: string): IdentityError {
  return new IdentityError('CERTIFICATE_UNTRUSTED', `the agent's SVID ${why}`)
}
