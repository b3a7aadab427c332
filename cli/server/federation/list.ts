/** `steeple server federation list`: the federations that were made by command, not those of the configuration. */
import type { ListFederationRelationshipsResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/ListFederationRelationshipsResponse.ts'
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { federationText } from '../../output/federation-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

const RESPONSE = 'spire.api.server.trustdomain.v1.ListFederationRelationshipsResponse'
const PAGE_SIZE = 1000

export const list = defineCommand({
  summary: 'List federations that were made by command; those of the configuration are not shown',
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
    terminal.print(`Found ${all.length} ${noun}\n${all.map(federationText).join('')}`)
    return 0
  },
})
