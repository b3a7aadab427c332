/** `steeple server healthcheck`: exit code 0 when the server says that it serves. */
import { defineCommand } from '../command.ts'
import { boolean } from '../flag/kinds.ts'
import { checkHealth } from '../rpc/check-health.ts'
import { connectServer } from '../rpc/endpoint.ts'
import { serverSocketFlags } from '../rpc/socket-path.ts'

export const healthcheck = defineCommand({
  summary: 'Ask a running server whether it is healthy; exit code 0 means yes',
  examples: ['server healthcheck -socketPath /run/steeple/server/api.sock'],
  flags: {
    ...serverSocketFlags,
    shallow: boolean('accepted as SPIRE accepts it: the check is the same'),
    verbose: boolean('say more'),
  },
  async run({ verbose, ...socket }, session) {
    using server = connectServer(socket, session)
    await checkHealth(server, { whose: 'server', isVerbose: verbose === true, session })
    session.terminal.print('Server is healthy.\n')
    return 0
  },
})
