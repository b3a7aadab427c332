/** `steeple agent logger reset`: goes back to the log level with which the agent was started. */
import { defineCommand } from '../../command.ts'
import { adminFlags } from '../admin.ts'
import { showLogger } from './show-logger.ts'

export const reset = defineCommand({
  summary: 'Go back to the log level with which the agent was started',
  examples: ['agent logger reset'],
  flags: adminFlags,
  run: (flags, session) =>
    showLogger(flags, session, {
      failure: 'failed to reset logger',
      start: (client, options, done) => client.ResetLogLevel({}, options, done),
    }),
})
