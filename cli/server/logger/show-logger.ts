/** Makes a call that answers with the state of the log, and prints what it says. */

import type { CallOptions } from '@grpc/grpc-js'
import type { LoggerClient } from '../../../proto/gen/spire/api/server/logger/v1/Logger.ts'
import type { Logger } from '../../../proto/gen/spire/api/types/Logger.ts'
import { loggerApi } from '../../../proto/load.ts'
import type { Session } from '../../command.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { loggerText } from '../../output/logger-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer, type Done } from '../../rpc/endpoint.ts'
import type { operatorFlags } from '../flags.ts'

interface LoggerCall {
  /** Said when it fails. */
  readonly failure: string
  start(client: LoggerClient, options: CallOptions, done: Done<Logger>): unknown
}

export async function showLogger(
  { output, ...socket }: FlagValues<typeof operatorFlags>,
  session: Session,
  { failure, start }: LoggerCall,
): Promise<number> {
  using server = connectServer(socket, session)
  const client = server.client(loggerApi())
  const call = server.call<Logger>((options, done) => start(client, options, done))
  const logger = await attempting(failure, call)
  if (output === 'json') {
    printJson(session.terminal, toProtoJson('logger', 'spire.api.types.Logger', logger))
  } else session.terminal.print(loggerText(logger))
  return 0
}
