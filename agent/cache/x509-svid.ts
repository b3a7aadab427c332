/**
 * A workload's X509-SVID with its private key, as the agent holds it. One is made only of a chain whose leaf is for
 * that key and for the entry's SPIFFE ID.
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Random } from '../../spiffe/random.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { authorityKeyIdsOf } from '../node/agent-svid.ts'
import { type RenewalPolicy, renewalTime } from '../renewal-time.ts'
import type { CachedEntry } from './entry.ts'

export interface X509Svid {
  readonly entryId: string
  readonly id: SpiffeId
  /** Of the entry, when the SVID was asked for. */
  readonly revision: number
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  /** PKCS#8, DER. Never logged. */
  readonly key: Uint8Array
  readonly expiresAt: Date
  readonly renewAt: Date
  /** When the agent got it. */
  readonly obtainedAt: Date
  readonly authorityKeyIds: readonly string[]
}

export interface X509SvidParts {
  readonly entryId: string
  readonly id: SpiffeId
  readonly revision: number
  readonly chain: readonly Uint8Array[]
  readonly key: Uint8Array
  /** The public half of `key`, DER. */
  readonly spki: Uint8Array
}

export interface X509SvidContext {
  readonly now: Date
  readonly policy: RenewalPolicy
  readonly random: Random
}

/** @throws IdentityError CERTIFICATE_MALFORMED or CERTIFICATE_UNTRUSTED */
export function x509Svid(
  { entryId, id, revision, chain, key, spki }: X509SvidParts,
  { now, policy, random }: X509SvidContext,
): X509Svid {
  const certificates = chain.map(parseCertificate)
  const [leaf] = certificates
  if (leaf === undefined) throw refused(entryId, 'has no certificate')
  if (!Buffer.from(leaf.spki).equals(spki)) throw refused(entryId, 'is not for the key asked for')
  if (leaf.uriSans.length !== 1 || leaf.uriSans[0] !== id) {
    throw refused(entryId, `is for ${leaf.uriSans.join(', ') || 'nobody'}, expected ${id}`)
  }
  const lifetime = { notBefore: leaf.notBefore, expiresAt: leaf.notAfter }
  return {
    entryId,
    id,
    revision,
    chain,
    key,
    expiresAt: leaf.notAfter,
    renewAt: renewalTime(lifetime, policy, random),
    obtainedAt: now,
    authorityKeyIds: authorityKeyIdsOf(certificates),
  }
}

function refused(entryId: string, why: string): IdentityError {
  return new IdentityError('CERTIFICATE_UNTRUSTED', `the X509-SVID of entry ${entryId} ${why}`)
}

/** Whether it may be handed out now for `entry`: never after its end, never under another ID. */
export function isServable(
  svid: X509Svid | undefined,
  entry: CachedEntry,
  now: Date,
): svid is X509Svid {
  return svid !== undefined && svid.id === entry.id && now < svid.expiresAt
}
