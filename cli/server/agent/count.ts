/** `steeple server agent count`: how many agents a filter chooses. */
import type { CountAgentsResponse } from '../../../proto/gen/spire/api/server/agent/v1/CountAgentsResponse.ts'
import { agentApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { filterFlags, filterOfFlags } from './agent-filter.ts'

const RESPONSE = 'spire.api.server.agent.v1.CountAgentsResponse'

export const count = defineCommand({
  summary: 'Count attested agents',
  examples: ['server agent count', 'server agent count -banned true'],
  flags: { ...operatorFlags, ...filterFlags },
  async run(flags, session) {
    const { terminal } = session
    const filter = filterOfFlags(flags)
    using server = connectServer(flags, session)
    const client = server.client(agentApi())
    const answer = await server.call<CountAgentsResponse>((options, done) =>
      client.CountAgents({ filter }, options, done),
    )
    const noun = answer.count === 1 ? 'attested agent' : 'attested agents'
    if (flags.output === 'json') printJson(terminal, toProtoJson('agent', RESPONSE, answer))
    else terminal.print(`${answer.count} ${noun}\n`)
    return 0
  },
})
