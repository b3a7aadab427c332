/** `steeple agent logger set`: changes the log level of the running agent until it ends or is reset. */
import { defineCommand } from '../../command.ts'
import { choice, required } from '../../flag/kinds.ts'
import { LEVEL_WORDS, readLevel } from '../../server/logger/level.ts'
import { adminFlags, sayingError } from '../admin.ts'
import { showLogger } from './show-logger.ts'

export const set = defineCommand({
  summary: 'Change the log level of the running agent, without touching its configuration',
  examples: ['agent logger set -level debug'],
  flags: {
    ...adminFlags,
    level: required(choice('how much to log', LEVEL_WORDS)),
  },
  async run({ level, ...flags }, session) {
    const new_level = await sayingError(async () => readLevel(level))
    return await showLogger(flags, session, {
      failure: 'failed to set log level',
      start: (client, options, done) => client.SetLogLevel({ new_level }, options, done),
    })
  },
})
