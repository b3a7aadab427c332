/**
 * A node (agent) that has attested: what its SVIDs are and which selectors describe it.
 *
 * @see SPIRE behaviour §2 — node attestation
 */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'

export interface AttestedNode {
  readonly id: SpiffeId
  /** Name of the node attestor, e.g. `join_token`. */
  readonly attestationType: string
  /** Decimal serial of the SVID in use; empty when the node is banned. */
  readonly serialNumber: string
  readonly expiresAt: Date
  /** Decimal serial of a renewed SVID that has not been used yet, or `RENEWED_SINCE_BACKUP`; empty when there is none. */
  readonly newSerialNumber: string
  readonly newExpiresAt: Date | undefined
  readonly canReattest: boolean
  /** No value twice. */
  readonly selectors: readonly Selector[]
  /** What the agent said last; empty until then. */
  readonly agentVersion: string
}

/** What a renewal goes by: the SVID that asks for it, and the renewed one that was there then. */
export type RenewedFrom = Pick<AttestedNode, 'id' | 'serialNumber' | 'newSerialNumber'>

/**
 * In the place of the serial of a renewed SVID, in a node that was restored from a backup and cannot attest again by itself:
 * its SVID may have been renewed since. No serial is written so.
 */
export const RENEWED_SINCE_BACKUP = 'renewed-since-backup'

export function isBanned(node: AttestedNode): boolean {
  return node.serialNumber === ''
}
