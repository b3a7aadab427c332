/** `steeple server agent evict`: forgets an agent; it may attest again. */
import { agentApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { agentIdFlag, readAgentId } from './agent-id.ts'

export const evict = defineCommand({
  summary: 'Forget an agent: it loses its identity, and may attest again if its node still can',
  examples: ['server agent evict -spiffeID spiffe://example.org/spire/agent/join_token/1234'],
  flags: { ...operatorFlags, spiffeID: agentIdFlag },
  async run({ spiffeID, output, ...socket }, session) {
    const id = readAgentId(spiffeID)
    using server = connectServer(socket, session)
    const client = server.client(agentApi())
    await server.call((options, done) => client.DeleteAgent({ id }, options, done))
    if (output === 'json') printJson(session.terminal, {})
    else session.terminal.print('Agent evicted successfully\n')
    return 0
  },
})
