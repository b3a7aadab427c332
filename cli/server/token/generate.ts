/** `steeple server token generate`: a join token, which admits one agent once. The token is a secret. */
import type { JoinToken } from '../../../proto/gen/spire/api/types/JoinToken.ts'
import { agentApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { integer, text } from '../../flag/kinds.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { mustFitInt32 } from '../int32.ts'
import { readId, toParts } from '../spiffe-id.ts'

const DEFAULT_TTL_SECONDS = 600

export const generate = defineCommand({
  summary: 'Make a join token that admits one agent, once',
  examples: ['server token generate -spiffeID spiffe://example.org/node/one -ttl 3600'],
  flags: {
    ...operatorFlags,
    spiffeID: text('further SPIFFE ID for the agent, to be used as parent of entries'),
    ttl: integer('how long the token may be used, in seconds', DEFAULT_TTL_SECONDS),
  },
  async run({ spiffeID, ttl, output, ...socket }, session) {
    const { terminal } = session
    const agentId = spiffeID === '' ? null : toParts(readId(spiffeID))
    const request = { ttl: mustFitInt32(ttl, 'TTL'), agent_id: agentId }
    using server = connectServer(socket, session)
    const client = server.client(agentApi())
    const token = await server.call<JoinToken>((options, done) =>
      client.CreateJoinToken(request, options, done),
    )
    if (output === 'json') {
      printJson(terminal, toProtoJson('agent', 'spire.api.types.JoinToken', token))
      return 0
    }
    terminal.print(`Token: ${token.value}\n`)
    if (agentId === null) terminal.print('Warning: Missing SPIFFE ID.\n')
    return 0
  },
})
