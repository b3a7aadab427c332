/** The flag by which commands name one agent. Whether it may be one is for the server to say. */
import { IdentityError } from '../../../spiffe/error.ts'
import { required, text } from '../../flag/kinds.ts'
import { readId, toParts } from '../spiffe-id.ts'

export const agentIdFlag = required(text('SPIFFE ID of the agent'))

/** @throws IdentityError REQUEST_INVALID when it is missing, SPIFFE_ID_INVALID when it is none */
export function readAgentId(given: string): ReturnType<typeof toParts> {
  if (given === '') throw new IdentityError('REQUEST_INVALID', 'a SPIFFE ID is required')
  return toParts(readId(given))
}
