/** `steeple server logger set`: changes the log level of the running server until it ends or is reset. */
import { defineCommand } from '../../command.ts'
import { text } from '../../flag/kinds.ts'
import { operatorFlags } from '../flags.ts'
import { readLevel } from './level.ts'
import { showLogger } from './show-logger.ts'

export const set = defineCommand({
  summary: 'Change the log level of the running server, without touching its configuration',
  examples: ['server logger set -level debug'],
  flags: {
    ...operatorFlags,
    level: text('panic, fatal, error, warn, info, debug or trace'),
  },
  async run({ level, ...flags }, session) {
    const new_level = readLevel(level)
    return await showLogger(flags, session, {
      failure: 'failed to set log level',
      start: (client, options, done) => client.SetLogLevel({ new_level }, options, done),
    })
  },
})
