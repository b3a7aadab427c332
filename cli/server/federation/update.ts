/** `steeple server federation update`: replaces a federation by flags, or many by a file. */
import type { BatchUpdateFederationRelationshipResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/BatchUpdateFederationRelationshipResponse.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { relationshipFlags, relationshipsOfFlags } from './relationship-flags.ts'
import { printWritten } from './written-relationships.ts'

const RESPONSE = 'spire.api.server.trustdomain.v1.BatchUpdateFederationRelationshipResponse'

export const update = defineCommand({
  summary: 'Change where and how the bundle of a federated trust domain is fetched',
  examples: [
    'server federation update -trustDomain partner.org -bundleEndpointProfile https_web \\\n' +
      '      -bundleEndpointURL https://partner.org/bundle',
    'server federation update -data federations.json',
  ],
  flags: relationshipFlags,
  async run(flags, session) {
    const relationships = await relationshipsOfFlags(flags, session.terminal)
    using server = connectServer(flags, session)
    const client = server.client(trustDomainApi())
    const request = { federation_relationships: [...relationships] }
    const call = server.call<BatchUpdateFederationRelationshipResponse>((options, done) =>
      client.BatchUpdateFederationRelationship(request, options, done),
    )
    const answer = await attempting('request failed', call)
    if (flags.output === 'json') {
      printJson(session.terminal, toProtoJson('trustDomain', RESPONSE, answer))
    } else printWritten(answer.results, relationships, 'update', session.terminal)
    return 0
  },
})
