/** `steeple server federation delete`: ends a federation; the bundle that was fetched by it stays. */
import type { BatchDeleteFederationRelationshipResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/BatchDeleteFederationRelationshipResponse.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { required, text } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

const RESPONSE = 'spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse'
const FAILED = 'failed to delete federation relationship'

export const deleteRelationship = defineCommand({
  summary: 'End a federation; the bundle that was fetched by it stays until it is deleted',
  examples: ['server federation delete -id partner.org'],
  flags: { ...operatorFlags, id: required(text('trust domain, or any SPIFFE ID in it')) },
  async run({ id, output, ...socket }, session) {
    if (id === '') throw new IdentityError('REQUEST_INVALID', 'id is required')
    using server = connectServer(socket, session)
    const client = server.client(trustDomainApi())
    const call = server.call<BatchDeleteFederationRelationshipResponse>((options, done) =>
      client.BatchDeleteFederationRelationship({ trust_domains: [id] }, options, done),
    )
    const answer = await attempting(FAILED, call)
    if (output === 'json') {
      printJson(session.terminal, toProtoJson('trustDomain', RESPONSE, answer))
      return 0
    }
    const [result] = answer.results
    if (result === undefined) throw new IdentityError('INTERNAL', `${FAILED}: no result`)
    if ((result.status?.code ?? 0) !== 0) {
      const what = `${FAILED} ${quote(result.trust_domain)}`
      throw new IdentityError('REQUEST_INVALID', `${what}: ${result.status?.message}`)
    }
    session.terminal.print('federation relationship deleted.\n')
    return 0
  },
})
