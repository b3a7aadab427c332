/** `steeple server bundle set`: stores the bundle of another trust domain, in place of the one that was there. */
import type { BatchSetFederatedBundleResponse } from '../../../proto/gen/spire/api/server/bundle/v1/BatchSetFederatedBundleResponse.ts'
import { bundleApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { choice, path, required, text } from '../../flag/kinds.ts'
import { readBundleFormat } from '../../output/bundle-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { readInputFile } from '../input-file.ts'
import { readTrustDomain } from '../spiffe-id.ts'
import { readBundle } from './read-bundle.ts'

const RESPONSE = 'spire.api.server.bundle.v1.BatchSetFederatedBundleResponse'
const FAILED = 'failed to set federated bundle'

export const set = defineCommand({
  summary: 'Store the bundle of a federated trust domain; it replaces the one that is there',
  examples: [
    'server bundle set -id partner.org -path bundle.pem',
    'server bundle set -id partner.org -format spiffe < bundle.json',
  ],
  flags: {
    ...operatorFlags,
    id: required(text('trust domain, or any SPIFFE ID in it')),
    path: path('file with the bundle; standard input when it is not given'),
    format: choice('pem (X.509 authorities alone) or spiffe', ['pem', 'spiffe'], 'pem'),
  },
  async run({ id, path, format, output, ...socket }, session) {
    if (id === '') throw new IdentityError('REQUEST_INVALID', 'id flag is required')
    const known = readBundleFormat(format)
    const content = await attempting(
      'unable to load bundle data',
      readInputFile(path || '-', session.terminal),
    )
    if (known === 'spiffe') readTrustDomain(id)
    const bundle = [readBundle(content, known, id)]
    using server = connectServer(socket, session)
    const client = server.client(bundleApi())
    const answer = await attempting(
      FAILED,
      server.call<BatchSetFederatedBundleResponse>((options, done) =>
        client.BatchSetFederatedBundle({ bundle }, options, done),
      ),
    )
    if (output === 'json') {
      printJson(session.terminal, toProtoJson('bundle', RESPONSE, answer))
      return 0
    }
    const [result] = answer.results
    if (result === undefined) throw new IdentityError('INTERNAL', `${FAILED}: no result`)
    if ((result.status?.code ?? 0) !== 0) {
      throw new IdentityError('REQUEST_INVALID', `${FAILED}: ${result.status?.message}`)
    }
    session.terminal.print('bundle set.\n')
    return 0
  },
})
