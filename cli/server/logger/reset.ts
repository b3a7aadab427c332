/** `steeple server logger reset`: goes back to the log level with which the server was started. */
import { defineCommand } from '../../command.ts'
import { operatorFlags } from '../flags.ts'
import { showLogger } from './show-logger.ts'

export const reset = defineCommand({
  summary: 'Go back to the log level with which the server was started',
  examples: ['server logger reset'],
  flags: operatorFlags,
  run: (flags, session) =>
    showLogger(flags, session, {
      failure: 'failed to reset logger',
      start: (client, options, done) => client.ResetLogLevel({}, options, done),
    }),
})
