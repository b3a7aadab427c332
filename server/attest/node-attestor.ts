/**
 * What proves that a node is what it says it is. Each attestor lives in a file of its own and is found by its type;
 * whatever it throws as an `IdentityError` is what the agent is told.
 *
 * @see SPIRE behaviour §2 — node attestation
 */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'

export interface AttestedAs {
  /** Under `/spire/agent/<type>/`. */
  readonly id: SpiffeId
  /** Whether the node can prove itself again at any time; if not, it renews its SVID instead. */
  readonly canReattest: boolean
  readonly selectors: readonly Selector[]
}

/** Sends the agent something to answer, and waits for the answer. */
export type Challenge = (challenge: Uint8Array) => Promise<Uint8Array>

export interface NodeAttestor {
  readonly type: string
  /**
   * @param payload what the agent sent first; opaque to everybody else
   * @param clientIp the other end of the connection; undefined on a Unix socket
   */
  attest(
    payload: Uint8Array,
    challenge: Challenge,
    clientIp: string | undefined,
  ): Promise<AttestedAs>
}
