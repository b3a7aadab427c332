/** `steeple proxy validate`: reads a configuration and its policies as `run` would, and starts nothing. */
import { loadProxyConfig } from '../../proxy/config.ts'
import { checkPolicies } from '../../proxy/policy-source/check-policies.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import { proxyRunFlags, toProxyFlags } from './run-flags.ts'

export const validate = defineCommand({
  summary: 'Check a configuration file and its policies without starting anything',
  examples: ['proxy validate -config /etc/steeple/proxy.conf'],
  flags: proxyRunFlags,
  async run(flags, { terminal }) {
    try {
      const config = loadProxyConfig(flags.config, toProxyFlags(flags), terminal.env)
      const warnings = [...config.warnings, ...(await checkPolicies(config))]
      for (const warning of warnings) terminal.complain(`Warning: ${warning}\n`)
      terminal.print('Proxy configuration is valid.\n')
      return 0
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      const gap = error.message.includes('\n') ? '\n' : ' '
      terminal.complain(`Proxy configuration is invalid:${gap}${error.message}\n`)
      return 1
    }
  },
})
