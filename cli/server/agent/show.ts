/** `steeple server agent show`: one agent by its SPIFFE ID, with the selectors that its attestation found. */
import type { Agent } from '../../../proto/gen/spire/api/types/Agent.ts'
import { agentApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { agentLine, agentText } from '../../output/agent-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { agentIdFlag, readAgentId } from './agent-id.ts'

export const show = defineCommand({
  summary: 'Show one attested agent',
  examples: ['server agent show -spiffeID spiffe://example.org/spire/agent/join_token/1234'],
  flags: { ...operatorFlags, spiffeID: agentIdFlag },
  async run({ spiffeID, output, ...socket }, session) {
    const { terminal } = session
    const id = readAgentId(spiffeID)
    using server = connectServer(socket, session)
    const client = server.client(agentApi())
    const agent = await server.call<Agent>((options, done) =>
      client.GetAgent({ id }, options, done),
    )
    if (output === 'json') {
      printJson(terminal, toProtoJson('agent', 'spire.api.types.Agent', agent))
      return 0
    }
    terminal.print(`Found an attested agent given its SPIFFE ID\n\n${agentText(agent)}`)
    for (const { type, value } of agent.selectors) {
      terminal.print(agentLine('Selectors', `${type}:${value}`))
    }
    return 0
  },
})
