/** `steeple agent logger get`: the log level of the running agent, and the one of its configuration. */
import { defineCommand } from '../../command.ts'
import { adminFlags } from '../admin.ts'
import { showLogger } from './show-logger.ts'

export const get = defineCommand({
  summary: 'Show the log level of the running agent',
  examples: ['agent logger get'],
  flags: adminFlags,
  run: (flags, session) =>
    showLogger(flags, session, {
      failure: 'error fetching logger',
      start: (client, options, done) => client.GetLogger({}, options, done),
    }),
})
