/** Makes a call that answers with the state of the agent's log, and prints what it says. */
import type { CallOptions } from '@grpc/grpc-js'
import type { LoggerClient } from '../../../proto/gen/spire/api/agent/logger/v1/Logger.ts'
import type { Logger } from '../../../proto/gen/spire/api/types/Logger.ts'
import { agentLoggerApi } from '../../../proto/load.ts'
import type { Session } from '../../command.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { loggerText } from '../../output/logger-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, type Done } from '../../rpc/endpoint.ts'
import { type adminFlags, withAgentAdmin } from '../admin.ts'

interface LoggerCall {
  /** Said when it fails. */
  readonly failure: string
  start(client: LoggerClient, options: CallOptions, done: Done<Logger>): unknown
}

export async function showLogger(
  { output, socketPath }: FlagValues<typeof adminFlags>,
  session: Session,
  { failure, start }: LoggerCall,
): Promise<number> {
  const logger = await withAgentAdmin(socketPath, session, async (agent) => {
    const client = agent.client(agentLoggerApi())
    const call = agent.call<Logger>((options, done) => start(client, options, done))
    return await attempting(failure, call)
  })
  if (output === 'json') {
    printJson(session.terminal, toProtoJson('agentLogger', 'spire.api.types.Logger', logger))
  } else session.terminal.print(loggerText(logger))
  return 0
}
