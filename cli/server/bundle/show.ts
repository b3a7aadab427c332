/** `steeple server bundle show`: the authorities of the trust domain, as PEM or as a SPIFFE bundle. */
import type { Bundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { bundleApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { choice } from '../../flag/kinds.ts'
import { bundleText } from '../../output/bundle-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

export const show = defineCommand({
  summary: 'Print the bundle of the trust domain: what its SVIDs are checked with',
  examples: ['server bundle show > bundle.pem', 'server bundle show -format spiffe'],
  flags: {
    ...operatorFlags,
    format: choice(
      'pem (X.509 authorities alone) or spiffe, for pretty output',
      ['pem', 'spiffe'],
      'pem',
    ),
  },
  async run({ format, output, ...socket }, session) {
    const { terminal } = session
    using server = connectServer(socket, session)
    const client = server.client(bundleApi())
    const bundle = await server.call<Bundle>((options, done) => client.GetBundle({}, options, done))
    if (output === 'json') {
      printJson(terminal, toProtoJson('bundle', 'spire.api.types.Bundle', bundle))
    } else terminal.print(bundleText(bundle, format))
    return 0
  },
})
