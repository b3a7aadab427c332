/** `steeple proxy run`: the proxy in the foreground. */
import { loadProxyConfig } from '../../proxy/config.ts'
import { runProxy } from '../../proxy/main.ts'
import { defineCommand } from '../command.ts'
import { runDaemon } from '../run-daemon.ts'
import { readVersion } from '../version.ts'
import { proxyRunFlags, toProxyFlags } from './run-flags.ts'

export const run = defineCommand({
  summary: 'Run the proxy in the foreground until it is interrupted; then it drains',
  examples: [
    'proxy run -config /etc/steeple/proxy.conf',
    'proxy run -inbound -listen 0.0.0.0:8443 -upstream 127.0.0.1:8080 -authorize spiffe://example.org/web',
    'proxy run -outbound -listen 127.0.0.1:9000 -upstream orders.example:8443 -authorize spiffe://example.org/orders',
  ],
  flags: proxyRunFlags,
  async run(flags, { terminal, clock }) {
    const config = loadProxyConfig(flags.config, toProxyFlags(flags), terminal.env)
    const version = readVersion()
    return await runDaemon(config.log, (deps) => runProxy(config, { ...deps, clock, version }))
  },
})
