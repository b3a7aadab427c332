/** `steeple server federation show`: one federation that was made by command. */
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { required, text } from '../../flag/kinds.ts'
import { federationText } from '../../output/federation-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { standingText } from '../../output/standing-text.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { askStanding } from './ask-standing.ts'

export const show = defineCommand({
  summary: 'Show one federation that was made by command',
  examples: ['server federation show -trustDomain partner.org'],
  flags: { ...operatorFlags, trustDomain: required(text('name of the trust domain')) },
  async run({ trustDomain, output, ...socket }, session) {
    const { terminal } = session
    if (trustDomain === '') {
      throw new IdentityError('REQUEST_INVALID', 'a trust domain name is required')
    }
    using server = connectServer(socket, session)
    const client = server.client(trustDomainApi())
    const call = server.call<FederationRelationship>((options, done) =>
      client.GetFederationRelationship({ trust_domain: trustDomain }, options, done),
    )
    const answer = await attempting('error showing federation relationship', call)
    if (output === 'json') {
      const type = 'spire.api.types.FederationRelationship'
      printJson(terminal, toProtoJson('trustDomain', type, answer))
      return 0
    }
    terminal.print(`Found a federation relationship with trust domain ${trustDomain}:\n`)
    terminal.print(federationText(answer))
    for (const standing of (await askStanding(server, trustDomain)) ?? []) {
      terminal.print(standingText(standing, session.clock.now()))
    }
    return 0
  },
})
