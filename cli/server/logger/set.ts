/** `steeple server logger set`: changes the log level of the running server until it ends or is reset. */
import { defineCommand } from '../../command.ts'
import { choice, required } from '../../flag/kinds.ts'
import { operatorFlags } from '../flags.ts'
import { LEVEL_WORDS, readLevel } from './level.ts'
import { showLogger } from './show-logger.ts'

export const set = defineCommand({
  summary: 'Change the log level of the running server, without touching its configuration',
  examples: ['server logger set -level debug'],
  flags: {
    ...operatorFlags,
    level: required(choice('how much to log', LEVEL_WORDS)),
  },
  async run({ level, ...flags }, session) {
    const new_level = readLevel(level)
    return await showLogger(flags, session, {
      failure: 'failed to set log level',
      start: (client, options, done) => client.SetLogLevel({ new_level }, options, done),
    })
  },
})
