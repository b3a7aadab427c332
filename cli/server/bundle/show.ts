/** `steeple server bundle show`: the authorities of the trust domain, as PEM or as a SPIFFE bundle. */
import type { Bundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { bundleApi } from '../../../proto/load.ts'
import { fromWireBundle } from '../../../proto/wire.ts'
import { formatBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { defineCommand } from '../../command.ts'
import { text } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

export const show = defineCommand({
  summary: 'Print the bundle of the trust domain: what its SVIDs are checked with',
  examples: ['server bundle show > bundle.pem', 'server bundle show -format spiffe'],
  flags: {
    ...operatorFlags,
    format: text('pem (X.509 authorities alone) or spiffe, for pretty output', 'pem'),
  },
  async run({ format, output, ...socket }, session) {
    const { terminal } = session
    using server = connectServer(socket, session)
    const client = server.client(bundleApi())
    const bundle = await server.call<Bundle>((options, done) => client.GetBundle({}, options, done))
    if (output === 'json') {
      printJson(terminal, toProtoJson('bundle', 'spire.api.types.Bundle', bundle))
    } else terminal.print(formatted(bundle, format))
    return 0
  },
})

function formatted(bundle: Bundle, format: string): string {
  switch (format.toLowerCase()) {
    case 'pem':
      return bundle.x509_authorities.map(({ asn1 }) => toPem('CERTIFICATE', asn1)).join('')
    case 'spiffe':
      return `${formatBundleDocument(fromWireBundle(bundle))}\n`
    default:
      throw new IdentityError('REQUEST_INVALID', `invalid format: ${quote(format)}`)
  }
}
