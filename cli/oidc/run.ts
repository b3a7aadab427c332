/** `steeple oidc run`: the OIDC discovery provider in the foreground. */
import { loadOidcConfig } from '../../oidc/config.ts'
import { runOidc } from '../../oidc/main.ts'
import { defineCommand } from '../command.ts'
import { runDaemon } from '../run-daemon.ts'
import { oidcRunFlags } from './run-flags.ts'

export const run = defineCommand({
  summary: 'Run the OIDC discovery provider in the foreground until it is interrupted',
  examples: ['oidc run -config /etc/steeple/oidc.conf'],
  flags: oidcRunFlags,
  async run(flags, { terminal, clock }) {
    const config = loadOidcConfig(flags, terminal.env)
    return await runDaemon(config.log, (deps) => runOidc(config, { ...deps, clock }))
  },
})
