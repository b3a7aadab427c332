/** `steeple server logger get`: the log level of the running server, and the one of its configuration. */
import { defineCommand } from '../../command.ts'
import { operatorFlags } from '../flags.ts'
import { showLogger } from './show-logger.ts'

export const get = defineCommand({
  summary: 'Show the log level of the running server',
  examples: ['server logger get'],
  flags: operatorFlags,
  run: (flags, session) =>
    showLogger(flags, session, {
      failure: 'error fetching logger',
      start: (client, options, done) => client.GetLogger({}, options, done),
    }),
})
