/** `steeple server federation list`: the federations that were made by command; from a server of ours, those of its configuration too. */
import type { ListFederationRelationshipsResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/ListFederationRelationshipsResponse.ts'
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { federationText } from '../../output/federation-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { configuredText, standingText } from '../../output/standing-text.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { askStanding } from './ask-standing.ts'

const RESPONSE = 'spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse'
const PAGE_SIZE = 1000

export const list = defineCommand({
  summary:
    'List federations that were made by command; our server adds how the fetching of bundles goes',
  examples: ['server federation list'],
  flags: operatorFlags,
  async run({ output, ...socket }, session) {
    const { terminal } = session
    using server = connectServer(socket, session)
    const client = server.client(trustDomainApi())
    const all: FederationRelationship[] = []
    let page_token = ''
    do {
      const call = server.call<ListFederationRelationshipsResponse>((options, done) =>
        client.ListFederationRelationships({ page_size: PAGE_SIZE, page_token }, options, done),
      )
      const page = await attempting('error listing federation relationship', call)
      all.push(...page.federation_relationships)
      page_token = page.next_page_token
    } while (page_token !== '')
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
