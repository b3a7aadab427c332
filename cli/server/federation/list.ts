/** `steeple server federation list`: the federations that were made by command; from a server of ours, those of its configuration too. */
import { defineCommand } from '../../command.ts'
import { federationText } from '../../output/federation-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { configuredText, standingText } from '../../output/standing-text.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { askStanding } from './ask-standing.ts'
import { listRelationships } from './list-relationships.ts'

const RESPONSE = 'spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse'

export const list = defineCommand({
  summary:
    'List federations that were made by command; our server adds how the fetching of bundles goes',
  examples: ['server federation list'],
  flags: operatorFlags,
  async run({ output, ...socket }, session) {
    const { terminal } = session
    using server = connectServer(socket, session)
    const all = await listRelationships(server)
    if (output === 'json') {
      const answer = { federation_relationships: all, next_page_token: '' }
      printJson(terminal, toProtoJson('trustDomain', RESPONSE, answer))
      return 0
    }
    const noun = all.length === 1 ? 'federation relationship' : 'federation relationships'
    const standings = (await askStanding(server, '')) ?? []
    const now = session.clock.now()
    const byName = new Map(standings.map((one) => [one.trust_domain, one]))
    const texts = all.map((one) => {
      const standing = byName.get(one.trust_domain)
      return federationText(one) + (standing === undefined ? '' : standingText(standing, now))
    })
    terminal.print(`Found ${all.length} ${noun}\n${texts.join('')}`)
    for (const one of standings) if (one.configured) terminal.print(configuredText(one, now))
    return 0
  },
})
