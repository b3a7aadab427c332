/** How a node proves what it is: the agent's half of a server's node attestor. */

export interface NodeAttestor {
  /** The name both sides know it by, e.g. `join_token`. */
  readonly type: string
  /** What an operator has to do when this agent can go on only as a new one. */
  readonly advice: string
  /** What to send first. May hold a secret: never logged. */
  payload(): Promise<Uint8Array>
  /** @throws IdentityError when the attestor has no answer to challenges */
  answer(challenge: Uint8Array): Promise<Uint8Array>
}
