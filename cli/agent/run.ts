/** `steeple agent run`: the agent in the foreground. */
import { loadAgentConfig } from '../../agent/config.ts'
import { runAgent } from '../../agent/main.ts'
import { keepMemoryPrivate } from '../../proto/private-memory.ts'
import { defineCommand } from '../command.ts'
import { runDaemon } from '../run-daemon.ts'
import { readVersion } from '../version.ts'
import { agentRunFlags, toAgentFlags } from './run-flags.ts'

export const run = defineCommand({
  summary: 'Run the agent in the foreground until it is interrupted',
  examples: ['agent run -config /etc/steeple/agent.conf -joinToken "$TOKEN"'],
  flags: agentRunFlags,
  async run(flags, { terminal, clock }) {
    const config = loadAgentConfig(flags.config, toAgentFlags(flags), terminal.env)
    const version = readVersion()
    keepMemoryPrivate()
    return await runDaemon(config.log, ({ onReload, ...deps }) => {
      // As to SPIRE's agent; none of the agent's plugins can be changed while it runs.
      onReload(() =>
        deps.log.warn('Told to reload; start the agent again for a changed plugin_data_file'),
      )
      return runAgent(config, { ...deps, clock, version })
    })
  },
})
