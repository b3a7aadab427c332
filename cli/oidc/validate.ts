/** `steeple oidc validate`: reads a configuration as `run` would, and starts nothing. */
import { loadOidcConfig } from '../../oidc/config.ts'
import { defineCommand } from '../command.ts'
import { checkConfig } from '../output/check-config.ts'
import { oidcRunFlags } from './run-flags.ts'

export const validate = defineCommand({
  summary: 'Check a configuration file without starting anything',
  examples: ['oidc validate -config /etc/steeple/oidc.conf'],
  flags: oidcRunFlags,
  async run(flags, { terminal }) {
    return checkConfig('OIDC discovery provider', terminal, () =>
      loadOidcConfig(flags, terminal.env),
    )
  },
})
