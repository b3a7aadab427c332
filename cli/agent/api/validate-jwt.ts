/** `steeple agent api validate jwt`: has the agent check a JWT-SVID against the bundles that it knows. */
import { status } from '@grpc/grpc-js'
import type { ValidateJWTSVIDResponse } from '../../../proto/gen/ValidateJWTSVIDResponse.ts'
import { workloadApi } from '../../../proto/load.ts'
import { isServiceError } from '../../../proto/status.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { required, text } from '../../flag/kinds.ts'
import { formatSorted } from '../../output/go-json.ts'
import { printJson } from '../../output/print.ts'
import { structToJson, toProtoJson } from '../../output/protojson.ts'
import { connectAgent } from '../../rpc/endpoint.ts'
import { workloadFlags } from '../flags.ts'
import { securityHeader } from './workload-call.ts'

export const validateJwt = defineCommand({
  summary: 'Have the agent check a JWT-SVID',
  examples: ['agent api validate jwt -audience api.example.org -svid "$TOKEN"'],
  flags: {
    ...workloadFlags,
    audience: required(text('who the token has to be for')),
    svid: required(text('the token')),
  },
  async run({ audience, svid, output, timeout, ...socket }, session) {
    const { terminal } = session
    if (audience === '') throw new IdentityError('REQUEST_INVALID', 'audience must be specified')
    if (svid === '') throw new IdentityError('REQUEST_INVALID', 'svid must be specified')
    using agent = connectAgent(socket, timeout, session)
    const client = agent.client(workloadApi())
    const checking = agent.call<ValidateJWTSVIDResponse>((options, done) =>
      client.ValidateJWTSVID({ audience, svid }, securityHeader(), options, done),
    )
    const answer = await checking.catch((error: unknown) => {
      throw refusalOf(error)
    })
    if (output === 'json') {
      printJson(terminal, toProtoJson('workload', 'ValidateJWTSVIDResponse', answer))
      return 0
    }
    terminal.print('SVID is valid.\n')
    terminal.print(`SPIFFE ID : ${answer.spiffe_id}\n`)
    terminal.print(`Claims    : ${formatSorted(structToJson(answer.claims))}\n`)
    return 0
  },
})

/** That a token is not valid is an answer; everything else is not. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof IdentityError)) return error
  const { cause } = error
  const isVerdict = isServiceError(cause) && cause.code === status.INVALID_ARGUMENT
  const message = isVerdict
    ? `SVID is not valid: ${cause.details}`
    : `unable to validate JWT SVID: ${reasonOf(error)}`
  return new IdentityError(error.code, message, { cause: error })
}
