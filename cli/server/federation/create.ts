/** `steeple server federation create`: federates with a trust domain by flags, or with many by a file. */
import type { BatchCreateFederationRelationshipResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/BatchCreateFederationRelationshipResponse.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { relationshipFlags, relationshipsOfFlags } from './relationship-flags.ts'
import { printWritten } from './written-relationships.ts'

const RESPONSE = 'spire.api.server.trustdomain.v1.BatchCreateFederationRelationshipResponse'

export const create = defineCommand({
  summary: 'Federate with a trust domain: its workloads can be told and trusted from now on',
  examples: [
    'server federation create -trustDomain partner.org -bundleEndpointProfile https_web \\\n' +
      '      -bundleEndpointURL https://partner.org/bundle',
    'server federation create -data federations.json',
  ],
  flags: relationshipFlags,
  async run(flags, session) {
    const relationships = await relationshipsOfFlags(flags, session.terminal)
    using server = connectServer(flags, session)
    const client = server.client(trustDomainApi())
    const request = { federation_relationships: [...relationships] }
    const call = server.call<BatchCreateFederationRelationshipResponse>((options, done) =>
      client.BatchCreateFederationRelationship(request, options, done),
    )
    const answer = await attempting('request failed', call)
    if (flags.output === 'json') {
      printJson(session.terminal, toProtoJson('trustDomain', RESPONSE, answer))
    } else printWritten(answer.results, relationships, 'create', session.terminal)
    return 0
  },
})
