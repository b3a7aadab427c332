/** CountAgents, ListAgents and GetAgent. */
import type { AgentHandlers } from '../../../proto/gen/spire/api/server/agent/v1/Agent.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import { parseAgentId } from '../../entries/member-id.ts'
import type { Caller } from '../../listen/caller.ts'
import type { AttestedNode } from '../../nodes/node.ts'
import { eachPage } from '../../store/page.ts'
import type { NodeStore } from '../../store/store.ts'
import { notFound, within, withinAsync } from '../refusal.ts'
import { idPartsOf } from '../wire-match.ts'
import { fromWireAgentFilter, toWireAgent } from './wire-agent.ts'

/** Operators look at lists; what decides anything is read elsewhere. */
const READ = { mayLag: true } as const

export interface ReadAgentsDeps {
  readonly trustDomain: TrustDomain
  readonly nodes: Pick<NodeStore, 'count' | 'list' | 'find'>
}

export function readAgents({
  trustDomain,
  nodes,
}: ReadAgentsDeps): Pick<
  Required<Implementation<Caller, AgentHandlers>>,
  'CountAgents' | 'ListAgents' | 'GetAgent'
> {
  return {
    async CountAgents({ filter }) {
      const wanted = fromWireAgentFilter(filter)
      return { count: await withinAsync('failed to count agents', () => nodes.count(wanted, READ)) }
    },

    async ListAgents({ filter, output_mask, page_size, page_token }) {
      const wanted = fromWireAgentFilter(filter)
      return await withinAsync('failed to list agents', async () => {
        if (page_size > 0) {
          const page = await nodes.list(wanted, { ...READ, size: page_size, token: page_token })
          return {
            agents: page.items.map((node) => toWireAgent(node, output_mask)),
            next_page_token: page.nextToken,
          }
        }
        const all: AttestedNode[] = []
        for await (const page of eachPage((request) =>
          nodes.list(wanted, { ...READ, ...request }),
        )) {
          all.push(...page)
        }
        return { agents: all.map((node) => toWireAgent(node, output_mask)) }
      })
    },

    async GetAgent({ id, output_mask }) {
      const agentId = within('invalid agent ID', () => parseAgentId(idPartsOf(id), trustDomain))
      const node = await nodes.find(agentId)
      if (node === undefined) throw notFound('agent not found')
      return toWireAgent(node, output_mask)
    },
  }
}
