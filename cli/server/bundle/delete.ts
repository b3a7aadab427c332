/** `steeple server bundle delete`: drops the bundle of another trust domain, and what becomes of its entries. */
import type { BatchDeleteFederatedBundleResponse } from '../../../proto/gen/spire/api/server/bundle/v1/BatchDeleteFederatedBundleResponse.ts'
import { bundleApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { required, text } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

const RESPONSE = 'spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse'
const FAILED = 'failed to delete federated bundle'

const MODES = { restrict: 'RESTRICT', delete: 'DELETE', dissociate: 'DISSOCIATE' } as const

export const deleteBundle = defineCommand({
  summary: 'Drop the bundle of a federated trust domain',
  examples: [
    'server bundle delete -id partner.org',
    'server bundle delete -id partner.org -mode dissociate',
  ],
  flags: {
    ...operatorFlags,
    id: required(text('trust domain, or any SPIFFE ID in it')),
    mode: {
      ...text(
        'what becomes of entries that federate with it: restrict (refuse if there are any), ' +
          'delete, or dissociate (keep them without it)',
        'restrict',
      ),
      choices: ['restrict', 'delete', 'dissociate'],
    },
  },
  async run({ id, mode: word, output, ...socket }, session) {
    if (id === '') throw new IdentityError('REQUEST_INVALID', 'id is required')
    const mode = readMode(word)
    using server = connectServer(socket, session)
    const client = server.client(bundleApi())
    const answer = await attempting(
      FAILED,
      server.call<BatchDeleteFederatedBundleResponse>((options, done) =>
        client.BatchDeleteFederatedBundle({ trust_domains: [id], mode }, options, done),
      ),
    )
    if (output === 'json') {
      printJson(session.terminal, toProtoJson('bundle', RESPONSE, answer))
      return 0
    }
    const [result] = answer.results
    if (result === undefined) throw new IdentityError('INTERNAL', `${FAILED}: no result`)
    if ((result.status?.code ?? 0) !== 0) {
      const what = `${FAILED} ${quote(result.trust_domain)}`
      throw new IdentityError('REQUEST_INVALID', `${what}: ${result.status?.message}`)
    }
    session.terminal.print('bundle deleted.\n')
    return 0
  },
})

function readMode(word: string): (typeof MODES)[keyof typeof MODES] {
  // Cast: the key was looked for in the very object.
  if (Object.hasOwn(MODES, word)) return MODES[word as keyof typeof MODES]
  throw new IdentityError('REQUEST_INVALID', `unsupported mode ${quote(word)}`)
}
