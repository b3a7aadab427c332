/**
 * Decides whether the SVID an agent presents is the one it should have. Every doubt is a refusal,
 * and its code tells a SPIRE agent how to recover.
 *
 * @see SPIRE API §2 and §3 — agent authorization and its reasons
 */
import type { SpiffeId } from '../../spiffe/id.ts'
import { type AttestedNode, isBanned, RENEWED_SINCE_BACKUP } from './node.ts'

export interface PresentedSvid {
  readonly id: SpiffeId
  /** Decimal serial of the certificate. */
  readonly serialNumber: string
  readonly expiresAt: Date
  /** The key that signed it, as the certificate names it. */
  readonly authorityId?: string | undefined
}

export type AgentRefusal =
  | 'AGENT_EXPIRED'
  | 'AGENT_NOT_ATTESTED'
  | 'AGENT_BANNED'
  | 'AGENT_NOT_ACTIVE'

export type AgentJudgement =
  | { readonly kind: 'active' }
  /** A renewed SVID is used for the first time: it must become the one in use before the call goes on. */
  | { readonly kind: 'promote' }
  /** An SVID that the node was given after the backup it was restored from: it must be noted, and become the one in use. */
  | { readonly kind: 'adopt'; readonly from: AttestedNode }
  | { readonly kind: 'refused'; readonly code: AgentRefusal; readonly message: string }

/** @param node the node of `presented.id`, undefined when it has none */
export function judgeAgent(
  presented: PresentedSvid,
  node: AttestedNode | undefined,
  now: Date,
): AgentJudgement {
  const { id, serialNumber } = presented
  const refuse = (code: AgentRefusal, why: string): AgentJudgement => ({
    kind: 'refused',
    code,
    message: `agent ${JSON.stringify(id)} ${why}`,
  })
  if (!(presented.expiresAt >= now)) return refuse('AGENT_EXPIRED', 'SVID is expired')
  // A node of another name would be a bug of the caller; it must not let anybody in.
  if (node === undefined || node.id !== id) return refuse('AGENT_NOT_ATTESTED', 'is not attested')
  if (isBanned(node)) return refuse('AGENT_BANNED', 'is banned')
  // An empty serial would equal the empty "no renewed SVID".
  if (serialNumber !== '' && serialNumber === node.serialNumber) return { kind: 'active' }
  if (serialNumber !== '' && serialNumber === node.newSerialNumber) return { kind: 'promote' }
  // Its chain was verified, so we gave it to that agent; it ends later than all that the backup knew, and only the first is
  // taken. An SVID of before the backup that is not in it is refused, as it was then.
  const isRestored = node.newSerialNumber === RENEWED_SINCE_BACKUP
  if (serialNumber !== '' && isRestored && presented.expiresAt > node.expiresAt) {
    return { kind: 'adopt', from: node }
  }
  return refuse(
    'AGENT_NOT_ACTIVE',
    `expected to have serial number "${node.serialNumber}"; has ${JSON.stringify(serialNumber)}`,
  )
}
