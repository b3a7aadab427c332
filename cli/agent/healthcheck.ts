/** `steeple agent healthcheck`: exit code 0 when the agent says that it serves. */
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import { boolean } from '../flag/kinds.ts'
import { checkHealth } from '../rpc/check-health.ts'
import { connectAgent } from '../rpc/endpoint.ts'
import { agentSocketFlags } from '../rpc/socket-path.ts'

const TIMEOUT_MS = 30_000

export const healthcheck = defineCommand({
  summary: 'Ask a running agent whether it is healthy; exit code 0 means yes',
  examples: ['agent healthcheck -socketPath /run/steeple/agent/public/api.sock'],
  flags: {
    ...agentSocketFlags,
    shallow: boolean('accepted as SPIRE accepts it: the check is the same'),
    verbose: boolean('say more'),
  },
  async run({ verbose, ...socket }, session) {
    using agent = connectAgent(socket, TIMEOUT_MS, session)
    try {
      await checkHealth(agent, { whose: 'agent', isVerbose: verbose === true, session })
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      const message = reasonOf(error)
      throw new IdentityError(error.code, message.replace(/^agent/, 'Agent'), { cause: error })
    }
    session.terminal.print('Agent is healthy.\n')
    return 0
  },
})
