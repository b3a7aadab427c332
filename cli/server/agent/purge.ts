/**
 * `steeple server agent purge`: evicts agents whose SVID expired long ago, only those that can attest again. One
 * that cannot be evicted is told of and does not stop the others.
 */

import type { ListAgentsResponse } from '../../../proto/gen/spire/api/server/agent/v1/ListAgentsResponse.ts'
import type { Agent } from '../../../proto/gen/spire/api/types/Agent.ts'
import { agentApi } from '../../../proto/load.ts'
import { fromUnixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { boolean, duration } from '../../flag/kinds.ts'
import { agentLine } from '../../output/agent-text.ts'
import { idText } from '../../output/entry-text.ts'
import { printJson } from '../../output/print.ts'
import { attempting, connectServer, type Endpoint } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

const PAGE_SIZE = 1000

export const purge = defineCommand({
  summary: 'Evict agents that expired long ago and can attest again if they come back',
  examples: ['server agent purge -dryRun', 'server agent purge -expiredFor 168h'],
  flags: {
    ...operatorFlags,
    dryRun: boolean('evict nothing, only tell what would be evicted'),
    expiredFor: duration('how long ago the SVID must have expired', '720h'),
  },
  async run({ dryRun, expiredFor, output, ...socket }, session) {
    const { terminal, clock } = session
    const isDryRun = dryRun === true
    using server = connectServer(socket, session)
    const before = clock.now().getTime() - expiredFor
    const expired = (await agentsThatCanReattest(server)).filter(
      ({ x509svid_expires_at }) => fromUnixSeconds(x509svid_expires_at).getTime() < before,
    )
    const purged: Purged[] = []
    for (const { id } of expired) {
      const outcome = isDryRun ? { deleted: false } : await evict(server, id)
      purged.push({ agent_id: idText(id), ...outcome })
    }
    if (output === 'json') printJson(terminal, { expired_agents: purged })
    else terminal.print(purgedText(purged, isDryRun))
    return 0
  },
})

/** With the names that its JSON has. */
type Purged = {
  readonly agent_id: string
  readonly deleted: boolean
  readonly error?: string
}

async function agentsThatCanReattest(server: Endpoint): Promise<readonly Agent[]> {
  const client = server.client(agentApi())
  const agents: Agent[] = []
  let token = ''
  do {
    const request = {
      filter: { by_can_reattest: { value: true } },
      output_mask: { x509svid_expires_at: true },
      page_size: PAGE_SIZE,
      page_token: token,
    }
    const call = server.call<ListAgentsResponse>((options, done) =>
      client.ListAgents(request, options, done),
    )
    const page = await attempting('failed to list agents', call)
    agents.push(...page.agents)
    token = page.next_page_token
  } while (token !== '')
  return agents
}

async function evict(server: Endpoint, id: Agent['id']): Promise<Omit<Purged, 'agent_id'>> {
  const client = server.client(agentApi())
  try {
    await server.call((options, done) => client.DeleteAgent({ id }, options, done))
    return { deleted: true }
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { deleted: false, error: error.message }
  }
}

function purgedText(purged: readonly Purged[], isDryRun: boolean): string {
  if (purged.length === 0) return 'No agents to purge.\n'
  const found = `Found ${purged.length} expired ${purged.length === 1 ? 'agent' : 'agents'}\n\n`
  const line = ({ agent_id }: Purged) => agentLine('SPIFFE ID', agent_id)
  if (isDryRun) return `${found}\nAgents that can be purged:\n${purged.map(line).join('')}`
  const gone = purged.filter(({ deleted }) => deleted)
  const kept = purged.filter(({ deleted }) => !deleted)
  return [
    found,
    gone.length === 0 ? '' : `Agents purged:\n${gone.map(line).join('')}`,
    kept.length === 0 ? '' : 'Agents not purged:\n',
    ...kept.map((one) => line(one) + agentLine('Error', one.error ?? '')),
  ].join('')
}
