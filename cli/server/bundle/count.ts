/** `steeple server bundle count`: how many bundles there are, that of the own trust domain among them. */
import type { CountBundlesResponse } from '../../../proto/gen/spire/api/server/bundle/v1/CountBundlesResponse.ts'
import { bundleApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

const RESPONSE = 'spire.api.server.bundle.v1.CountBundlesResponse'

export const count = defineCommand({
  summary: 'Count bundles, that of the own trust domain among them',
  examples: ['server bundle count'],
  flags: operatorFlags,
  async run({ output, ...socket }, session) {
    const { terminal } = session
    using server = connectServer(socket, session)
    const client = server.client(bundleApi())
    const answer = await server.call<CountBundlesResponse>((options, done) =>
      client.CountBundles({}, options, done),
    )
    const noun = answer.count === 1 ? 'bundle' : 'bundles'
    if (output === 'json') printJson(terminal, toProtoJson('bundle', RESPONSE, answer))
    else terminal.print(`${answer.count} ${noun}\n`)
    return 0
  },
})
