/** `steeple agent validate`: reads a configuration as `run` would, and starts nothing. */
import { loadAgentConfig } from '../../agent/config.ts'
import { defineCommand } from '../command.ts'
import { checkConfig } from '../output/check-config.ts'
import { agentRunFlags, toAgentFlags } from './run-flags.ts'

export const validate = defineCommand({
  summary: 'Check a configuration file without starting anything',
  examples: ['agent validate -config /etc/steeple/agent.conf'],
  flags: agentRunFlags,
  async run(flags, { terminal }) {
    return checkConfig('agent', terminal, () =>
      loadAgentConfig(flags.config, toAgentFlags(flags), terminal.env),
    )
  },
})
