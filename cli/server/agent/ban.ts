/** `steeple server agent ban`: shuts an agent out; it cannot come back while its record is kept. */
import { agentApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { agentIdFlag, readAgentId } from './agent-id.ts'

export const ban = defineCommand({
  summary: 'Shut an agent out: it loses its identity and cannot attest again until it is evicted',
  examples: ['server agent ban -spiffeID spiffe://example.org/spire/agent/join_token/1234'],
  flags: { ...operatorFlags, spiffeID: agentIdFlag },
  async run({ spiffeID, output, ...socket }, session) {
    const id = readAgentId(spiffeID)
    using server = connectServer(socket, session)
    const client = server.client(agentApi())
    await server.call((options, done) => client.BanAgent({ id }, options, done))
    if (output === 'json') printJson(session.terminal, {})
    else session.terminal.print('Agent banned successfully\n')
    return 0
  },
})
