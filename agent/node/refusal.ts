/**
 * What the agent does when the server no longer takes it for what it was: decided here, once, for every call.
 *
 * @see SPIRE API §3 — PermissionDeniedDetails and what an agent does
 */
import type { ErrorCode } from '../../spiffe/error.ts'

export type Reaction =
  /** Nothing about the agent's standing: whoever called tries again. */
  | { readonly kind: 'retry' }
  | { readonly kind: 'reattest' }
  /** There is no way on: everything the agent holds is deleted, and it stops. */
  | { readonly kind: 'stop'; readonly reason: string }

const REASONS: Partial<Record<ErrorCode, string>> = {
  AGENT_EXPIRED: 'its SVID has expired',
  AGENT_NOT_ATTESTED: 'the server does not know it: it was evicted, or the server lost its data',
  AGENT_NOT_ACTIVE:
    'its SVID is not the one that the server expects: another agent may use the same identity',
  AGENT_MUST_REATTEST: 'the server demands that it attests again',
}

export function isAboutTheAgent(code: ErrorCode): boolean {
  return code === 'AGENT_BANNED' || REASONS[code] !== undefined
}

export function reactionTo(code: ErrorCode, canReattest: boolean): Reaction {
  if (code === 'AGENT_BANNED') {
    const reason =
      'the agent is banned, and stays so until it is evicted at the server ("agent evict")'
    return { kind: 'stop', reason }
  }
  const reason = REASONS[code]
  if (reason === undefined) return { kind: 'retry' }
  if (canReattest) return { kind: 'reattest' }
  return { kind: 'stop', reason: `the agent cannot go on: ${reason}` }
}
