/** What is known of an authority, on the wire. Lists are cut off where nobody would read on; the counts are of all. */
import type { ActivationInput } from '../../../proto/gen/steeple/server/authority/v1/Activation.ts'
import type { StandingInput } from '../../../proto/gen/steeple/server/authority/v1/Standing.ts'
import type { UseKindInput } from '../../../proto/gen/steeple/server/authority/v1/UseKind.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { Activation } from '../../ca/rotation-memory.ts'
import type { UseKind } from '../../issue/ledger-record.ts'
import type { AuthorityProgress } from '../../issue/progress.ts'

/** Followers and uses each. */
const MAX_LISTED = 1_000

const USE_KINDS: Readonly<Record<UseKind, UseKindInput>> = {
  'agent-svid': 'AGENT_SVID',
  'workload-x509-svid': 'WORKLOAD_X509_SVID',
  'minted-x509-svid': 'MINTED_X509_SVID',
  'workload-jwt-svid': 'WORKLOAD_JWT_SVID',
  'minted-jwt-svid': 'MINTED_JWT_SVID',
  'downstream-ca': 'DOWNSTREAM_CA',
  'server-svid': 'SERVER_SVID',
}

const ACTIVATIONS: Readonly<Record<Activation, ActivationInput>> = {
  unknown: 'UNKNOWN',
  'by-schedule': 'BY_SCHEDULE',
  'by-hand': 'BY_HAND',
}

export const toWireActivation = (activation: Activation): ActivationInput => ACTIVATIONS[activation]

/** @param progress undefined for an empty slot */
export function toWireStanding(progress: AuthorityProgress | undefined): StandingInput | null {
  if (progress === undefined) return null
  const { authority, tainted, behind, uses, unknownUntil } = progress
  return {
    authority_id: authority.id,
    issued_at: unixSeconds(authority.issuedAt),
    expires_at: unixSeconds(authority.expiresAt),
    tainted,
    behind: behind.slice(0, MAX_LISTED).map(({ follower, handedAt }) => ({
      spiffe_id: follower.id,
      kind: follower.kind === 'agent' ? 'AGENT' : 'DOWNSTREAM',
      handed_at: secondsOr0(handedAt),
    })),
    behind_count: behind.length,
    uses: uses.slice(0, MAX_LISTED).map(({ kind, holder, count, until }) => ({
      ...{ kind: USE_KINDS[kind], holder, count, until: unixSeconds(until) },
    })),
    use_count: uses.reduce((sum, { count }) => sum + count, 0),
    unknown_until: secondsOr0(unknownUntil),
  }
}

function secondsOr0(date: Date | undefined): number {
  return date === undefined ? 0 : unixSeconds(date)
}
