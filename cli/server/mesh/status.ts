/** `steeple server mesh status`: how issuance to service meshes goes, and why proxies were refused. */
import type { GetStatusResponse } from '../../../proto/gen/steeple/server/mesh/v1/GetStatusResponse.ts'
import { meshApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { meshText } from '../../output/mesh-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'

export const status = defineCommand({
  summary: 'Show issuance to service meshes, and why proxies were refused',
  examples: ['server mesh status', 'server mesh status -output json'],
  flags: operatorFlags,
  async run({ output, ...socket }, session) {
    using server = connectServer(socket, session)
    const client = server.client(meshApi())
    const call = server.call<GetStatusResponse>((options, done) =>
      client.GetStatus({}, options, done),
    )
    const answer = await attempting('could not get the status of meshes', call)
    if (output === 'json') {
      const type = 'steeple.server.mesh.v1.GetStatusResponse'
      printJson(session.terminal, toProtoJson('mesh', type, answer))
    } else session.terminal.print(meshText(answer))
    return 0
  },
})
