/** `steeple server validate`: reads a configuration as `run` would, and starts nothing. */
import { loadServerConfig } from '../../server/config.ts'
import { defineCommand } from '../command.ts'
import { checkConfig } from '../output/check-config.ts'
import { serverRunFlags } from './run-flags.ts'

export const validate = defineCommand({
  summary: 'Check a configuration file without starting anything',
  examples: ['server validate -config /etc/steeple/server.conf'],
  flags: serverRunFlags,
  async run({ config: path, ...flags }, { terminal }) {
    return checkConfig('server', terminal, () => loadServerConfig(path, flags, terminal.env))
  },
})
