/**
 * Decides whether a caller may call a method, from what is already in memory. Fails closed: an unknown method, a
 * caller that fits no grant, or any doubt is a refusal; whether an agent's SVID is the one it should have
 * is left to be asked.
 *
 * @see SPIRE API §2 — order of the checks
 */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { PresentedSvid } from '../nodes/judge-agent.ts'
import type { Caller } from './caller.ts'
import { GRANTS } from './grants.ts'

/** What is known of SPIFFE IDs beyond their nodes. */
export interface Standing {
  isConfiguredAdmin(id: SpiffeId): boolean
  /** Whether an entry with this ID has `admin`. */
  isAdmin(id: SpiffeId): boolean
  /** Whether an entry with this ID has `downstream`. */
  isDownstream(id: SpiffeId): boolean
}

export type Verdict =
  | { readonly kind: 'allow'; readonly as: 'nobody' | 'local' | 'admin' | 'downstream' }
  /** Allowed if the agent check passes. */
  | { readonly kind: 'ask-agent'; readonly svid: PresentedSvid }
  | { readonly kind: 'deny' }

const DENY: Verdict = { kind: 'deny' }

/** @param method full method, e.g. `/spire.api.server.entry.v1.Entry/GetEntry` */
export function authorize(method: string, caller: Caller, standing: Standing): Verdict {
  const grants = GRANTS.get(method) ?? []
  if (caller.kind === 'unnamed') return DENY
  if (grants.includes('any')) return { kind: 'allow', as: 'nobody' }
  if (caller.kind === 'unix') {
    return grants.includes('local') ? { kind: 'allow', as: 'local' } : DENY
  }
  if (caller.kind === 'anonymous') return DENY
  const { svid } = caller
  if (
    grants.includes('admin') &&
    (standing.isConfiguredAdmin(svid.id) || standing.isAdmin(svid.id))
  ) {
    return { kind: 'allow', as: 'admin' }
  }
  if (grants.includes('downstream') && standing.isDownstream(svid.id)) {
    return { kind: 'allow', as: 'downstream' }
  }
  return grants.includes('agent') ? { kind: 'ask-agent', svid } : DENY
}
