/** Node attestation by a token that the server has given out and takes exactly once. @see SPIRE behaviour §2 */
import { IdentityError } from '../../spiffe/error.ts'
import type { NodeAttestor } from './node-attestor.ts'

const ADVICE =
  'generate a new join token at the server ("token generate") and start the agent with it (-joinToken)'

export function joinTokenAttestor(token: string | undefined): NodeAttestor {
  return {
    type: 'join_token',
    advice: ADVICE,
    async payload() {
      if (token !== undefined) return Buffer.from(token)
      const why = `join token was not provided, and this agent has no SVID of its own; ${ADVICE}`
      throw new IdentityError('CONFIG_INVALID', why)
    },
    async answer() {
      throw new IdentityError('INTERNAL', 'the server challenged a join token, which has no answer')
    },
  }
}
