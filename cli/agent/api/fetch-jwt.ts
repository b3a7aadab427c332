/** `steeple agent api fetch jwt`: JWT-SVIDs of whoever runs it, and the keys that verify them. */
import type { JWTBundlesResponse } from '../../../proto/gen/JWTBundlesResponse.ts'
import type { JWTSVIDResponse } from '../../../proto/gen/JWTSVIDResponse.ts'
import { workloadApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import {
  alreadySet,
  commaList,
  type OutputFormat,
  outputFormat,
  required,
  text,
} from '../../flag/kinds.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectAgent, type Endpoint } from '../../rpc/endpoint.ts'
import { isNotConnected } from '../../rpc/rpc-error.ts'
import { workloadFlags } from '../flags.ts'
import { firstOf, securityHeader } from './workload-call.ts'

export const fetchJwt = defineCommand({
  summary: 'Fetch JWT-SVIDs of this process from the Workload API, and the keys that verify them',
  examples: ['agent api fetch jwt -audience api.example.org'],
  flags: {
    ...workloadFlags,
    audience: required(commaList('who the tokens are for')),
    format: outputFormat('the old name of -output'),
    spiffeID: text('only the token of this SPIFFE ID'),
  },
  async run({ audience, spiffeID, output, format, timeout, ...socket }, session) {
    const { terminal } = session
    const form = oneFormat(format, output)
    if (audience.length === 0) {
      throw new IdentityError('REQUEST_INVALID', 'audience must be specified')
    }
    using agent = connectAgent(socket, timeout, session)
    const bundles = await fetchBundles(agent)
    const client = agent.client(workloadApi())
    const request = { audience: [...audience], spiffe_id: spiffeID }
    const svids = await agent.call<JWTSVIDResponse>((options, done) =>
      client.FetchJWTSVID(request, securityHeader(), options, done),
    )
    if (form === 'json') {
      const json = toProtoJson('workload', 'JWTSVIDResponse', svids)
      printJson(terminal, json, toProtoJson('workload', 'JWTBundlesResponse', bundles))
    } else terminal.print(textOf(svids, bundles))
    return 0
  },
})

function oneFormat(
  format: OutputFormat | undefined,
  output: OutputFormat | undefined,
): OutputFormat | undefined {
  if (format !== undefined && output !== undefined && format !== output) {
    const message = `invalid value "${output}" for flag -output: ${alreadySet(format)}`
    throw new IdentityError('REQUEST_INVALID', message)
  }
  return output ?? format
}

async function fetchBundles(agent: Endpoint): Promise<JWTBundlesResponse> {
  const client = agent.client(workloadApi())
  const fetching = firstOf<JWTBundlesResponse>(
    agent,
    client.FetchJWTBundles({}, securityHeader(), agent.options()),
  )
  try {
    return await fetching
  } catch (error) {
    if (!isNotConnected(error)) throw error
    return await attempting('failed to receive JWT bundles', fetching)
  }
}

function textOf({ svids }: JWTSVIDResponse, { bundles }: JWTBundlesResponse): string {
  const tokens = svids.map(({ spiffe_id: id, svid, hint }) => {
    const hinted = hint === '' ? '' : `hint(${id}):\n\t${hint}\n`
    return `token(${id}):\n\t${svid}\n${hinted}`
  })
  const keys = Object.entries(bundles).map(
    ([id, document]) => `bundle(${id}):\n\t${document.toString('utf8')}\n`,
  )
  return [...tokens, ...keys].join('')
}
