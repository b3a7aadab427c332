/**
 * DeleteAgent and BanAgent. A deleted agent may attest again if its attestor lets it; a banned one may not until
 * it is deleted.
 */
import type { Log } from '../../../log/open-log.ts'
import type { AgentHandlers } from '../../../proto/gen/spire/api/server/agent/v1/Agent.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import { parseAgentId } from '../../entries/member-id.ts'
import type { Caller } from '../../listen/caller.ts'
import type { NodeStore } from '../../store/store.ts'
import { notFound, within } from '../refusal.ts'
import { idPartsOf } from '../wire-match.ts'

export interface RemoveAgentsDeps {
  readonly trustDomain: TrustDomain
  readonly nodes: Pick<NodeStore, 'remove' | 'ban'>
  readonly log: Log
}

export function removeAgents({
  trustDomain,
  nodes,
  log,
}: RemoveAgentsDeps): Pick<
  Required<Implementation<Caller, AgentHandlers>>,
  'DeleteAgent' | 'BanAgent'
> {
  return {
    async DeleteAgent({ id }) {
      const agentId = within('invalid agent ID', () => parseAgentId(idPartsOf(id), trustDomain))
      if ((await nodes.remove(agentId)) === undefined) throw notFound('agent not found')
      log.info({ spiffe_id: agentId }, 'Agent deleted')
      return {}
    },

    async BanAgent({ id }) {
      const agentId = within('invalid agent ID', () => parseAgentId(idPartsOf(id), trustDomain))
      if (!(await nodes.ban(agentId))) throw notFound('agent not found')
      log.info({ spiffe_id: agentId }, 'Agent banned')
      return {}
    },
  }
}
