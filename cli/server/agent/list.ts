/** `steeple server agent list`: the agents that have attested. */
import type { ListAgentsResponse } from '../../../proto/gen/spire/api/server/agent/v1/ListAgentsResponse.ts'
import type { Agent } from '../../../proto/gen/spire/api/types/Agent.ts'
import { agentApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { agentText } from '../../output/agent-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import type { Terminal } from '../../terminal.ts'
import { operatorFlags } from '../flags.ts'
import { filterFlags, filterOfFlags } from './agent-filter.ts'

const RESPONSE = 'spire.api.server.agent.v1.ListAgentsResponse'
/** As SPIRE's command asks. */
const PAGE_SIZE = 1000

export const list = defineCommand({
  summary: 'List attested agents, all of them unless something is asked for',
  examples: ['server agent list', 'server agent list -banned false -attestationType join_token'],
  flags: { ...operatorFlags, ...filterFlags },
  async run(flags, session) {
    const filter = filterOfFlags(flags)
    using server = connectServer(flags, session)
    const client = server.client(agentApi())
    const agents: Agent[] = []
    let token = ''
    do {
      const page = await server.call<ListAgentsResponse>((options, done) =>
        client.ListAgents({ filter, page_size: PAGE_SIZE, page_token: token }, options, done),
      )
      agents.push(...page.agents)
      token = page.next_page_token
    } while (token !== '')
    if (flags.output === 'json') {
      printJson(session.terminal, toProtoJson('agent', RESPONSE, { agents, next_page_token: '' }))
    } else printAgents(agents, session.terminal)
    return 0
  },
})

function printAgents(agents: readonly Agent[], terminal: Terminal): void {
  if (agents.length === 0) {
    terminal.print('No attested agents found\n')
    return
  }
  terminal.print(`Found ${agents.length} attested ${agents.length === 1 ? 'agent' : 'agents'}:\n\n`)
  terminal.print(agents.map(agentText).join(''))
}
