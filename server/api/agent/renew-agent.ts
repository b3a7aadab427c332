/**
 * RenewAgent: a new SVID beside the one in use, which stays valid until the new one is first seen. Only for agents
 * that cannot attest again.
 *
 * @see SPIRE behaviour §2 — renewal
 */
import type { Log } from '../../../log/open-log.ts'
import type { RenewAgentRequest } from '../../../proto/gen/spire/api/server/agent/v1/RenewAgentRequest.ts'
import type { RenewAgentResponseInput } from '../../../proto/gen/spire/api/server/agent/v1/RenewAgentResponse.ts'
import type { Call } from '../../../proto/serve.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Issuer } from '../../issue/issuer.ts'
import type { Caller } from '../../listen/caller.ts'
import type { Limit } from '../../listen/rate-limits.ts'
import type { NodeStore } from '../../store/store.ts'
import { agentOf } from '../agent-caller.ts'
import { invalid, notFound, withinAsync } from '../refusal.ts'
import { signAgentSvid } from './sign-agent-svid.ts'

export interface RenewAgentDeps {
  readonly nodes: Pick<NodeStore, 'find' | 'renew'>
  readonly issuer: Pick<Issuer, 'issueAgentX509Svid'>
  readonly limit: Limit
  readonly log: Log
}

export async function renewAgent(
  { params }: RenewAgentRequest,
  call: Call<Caller>,
  deps: RenewAgentDeps,
): Promise<RenewAgentResponseInput> {
  const { id, serialNumber } = agentOf(call.caller).svid
  const node = await deps.nodes.find(id) // before any wait: what is written below goes by this
  await withinAsync('rejecting request due to renew agent rate limiting', () => deps.limit(call, 1))
  if (node === undefined) throw notFound('agent not found')
  if (node.canReattest) {
    throw new IdentityError('AGENT_MUST_REATTEST', 'agent must reattest instead of renew')
  }
  if (params === null) throw invalid('params cannot be nil')
  if (params.csr.length === 0) throw invalid('missing CSR')
  const svid = await signAgentSvid(id, params.csr, deps.issuer)
  // Who has given up has asked another server since, and this SVID would take the place of the one that it got there.
  if (call.signal.aborted) throw new IdentityError('CANCELED', 'the agent waits for it no more')
  const from = { id, serialNumber, newSerialNumber: node.newSerialNumber }
  const { kind } = await deps.nodes.renew(from, svid.serialNumber, svid.expiresAt)
  if (kind === 'not-found') throw notFound('agent not found')
  if (kind === 'banned') throw new IdentityError('AGENT_BANNED', 'agent is banned')
  if (kind === 'changed') {
    throw new IdentityError(
      'UNAVAILABLE',
      'the SVID was renewed by another call meanwhile, try again',
    )
  }
  deps.log.info({ agent_id: id }, 'Renewing agent SVID')
  return { svid: svid.wire }
}
