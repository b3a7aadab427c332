/** `steeple server run`: the server in the foreground. */
import { keepMemoryPrivate } from '../../proto/private-memory.ts'
import { loadServerConfig } from '../../server/config.ts'
import { runServer } from '../../server/main.ts'
import { defineCommand } from '../command.ts'
import { runDaemon } from '../run-daemon.ts'
import { readVersion } from '../version.ts'
import { serverRunFlags } from './run-flags.ts'

export const run = defineCommand({
  summary: 'Run the server in the foreground until it is interrupted',
  examples: ['server run -config /etc/steeple/server.conf'],
  flags: serverRunFlags,
  async run({ config: path, ...flags }, { terminal, clock }) {
    const reread = () => loadServerConfig(path, flags, terminal.env)
    const config = reread()
    const version = readVersion()
    keepMemoryPrivate()
    return await runDaemon(config.log, ({ onReload, ...deps }) =>
      runServer(config, { ...deps, clock, version, reload: { onReload, reread } }),
    )
  },
})
