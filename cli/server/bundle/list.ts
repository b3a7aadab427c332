/** `steeple server bundle list`: the bundles of other trust domains, or that of one of them. */
import type { ListFederatedBundlesResponse } from '../../../proto/gen/spire/api/server/bundle/v1/ListFederatedBundlesResponse.ts'
import type { Bundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { bundleApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { choice, text } from '../../flag/kinds.ts'
import { bundleText } from '../../output/bundle-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer, type Endpoint } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

const RESPONSE = 'spire.api.server.bundle.v1.ListFederatedBundlesResponse'
const PAGE_SIZE = 1000
const RULE = '*'.repeat(40)

export const list = defineCommand({
  summary: 'List the bundles of federated trust domains',
  examples: ['server bundle list', 'server bundle list -id partner.org -format spiffe'],
  flags: {
    ...operatorFlags,
    id: text('trust domain, or any SPIFFE ID in it; all when it is not given'),
    format: choice(
      'pem (X.509 authorities alone) or spiffe, for pretty output',
      ['pem', 'spiffe'],
      'pem',
    ),
  },
  async run({ id, format, output, ...socket }, session) {
    const { terminal } = session
    using server = connectServer(socket, session)
    if (id !== '') {
      const bundle = await fetchOne(server, id)
      if (output === 'json') {
        printJson(terminal, toProtoJson('bundle', 'spire.api.types.Bundle', bundle))
      } else terminal.print(bundleText(bundle, format))
      return 0
    }
    const bundles = await fetchAll(server)
    if (output === 'json') {
      printJson(terminal, toProtoJson('bundle', RESPONSE, { bundles, next_page_token: '' }))
    } else terminal.print(bundles.map((bundle) => titled(bundle, format)).join('\n'))
    return 0
  },
})

async function fetchOne(server: Endpoint, id: string): Promise<Bundle> {
  const client = server.client(bundleApi())
  return await server.call<Bundle>((options, done) =>
    client.GetFederatedBundle({ trust_domain: id }, options, done),
  )
}

async function fetchAll(server: Endpoint): Promise<Bundle[]> {
  const client = server.client(bundleApi())
  const bundles: Bundle[] = []
  let token = ''
  do {
    const page = await server.call<ListFederatedBundlesResponse>((options, done) =>
      client.ListFederatedBundles({ page_size: PAGE_SIZE, page_token: token }, options, done),
    )
    bundles.push(...page.bundles)
    token = page.next_page_token
  } while (token !== '')
  return bundles
}

function titled(bundle: Bundle, format: string): string {
  return `${RULE}\n* ${bundle.trust_domain}\n${RULE}\n${bundleText(bundle, format)}`
}
