/**
 * Attests a node by a token that works once. The token is used up by the first attempt, also when it had expired.
 *
 * @see SPIRE behaviour §2 — join_token
 */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type SpiffeId, spiffeId, type TrustDomain } from '../../spiffe/id.ts'
import type { JoinTokenStore } from '../store/store.ts'
import type { NodeAttestor } from './node-attestor.ts'

export const JOIN_TOKEN = 'join_token'

export interface JoinTokenDeps {
  readonly trustDomain: TrustDomain
  readonly joinTokens: Pick<JoinTokenStore, 'redeem'>
  readonly clock: Clock
}

export function joinTokenAttestor({ trustDomain, joinTokens, clock }: JoinTokenDeps): NodeAttestor {
  return {
    type: JOIN_TOKEN,
    async attest(payload) {
      const redeemed = await joinTokens.redeem(Buffer.from(payload).toString('utf8'))
      if (redeemed === undefined) {
        throw new IdentityError(
          'REQUEST_INVALID',
          'failed to attest: join token does not exist or has already been used',
        )
      }
      if (redeemed.expiresAt < clock.now()) {
        throw new IdentityError('REQUEST_INVALID', 'join token expired')
      }
      return {
        id: joinTokenAgentId(trustDomain, redeemed.token),
        canReattest: false,
        selectors: [],
      }
    },
  }
}

/**
 * The ID of the agent that will attest with a token.
 * @throws IdentityError REQUEST_INVALID when no ID can be made of it; the message does not repeat the token
 */
export function joinTokenAgentId(trustDomain: TrustDomain, token: string): SpiffeId {
  try {
    return spiffeId(trustDomain, `/spire/agent/${JOIN_TOKEN}/${token}`)
  } catch {
    throw new IdentityError(
      'REQUEST_INVALID',
      'token cannot be part of a SPIFFE ID: expected letters, numbers, dots, dashes, and underscores',
    )
  }
}
