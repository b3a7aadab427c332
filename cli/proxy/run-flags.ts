/** The flags of `run` and `validate` of the proxy: those of the file's keys, and those that make one listener without a file. */
import type { ProxyFlags } from '../../proxy/config.ts'
import type { FlagValues } from '../flag/flag.ts'
import { boolean, choice, list, path, text } from '../flag/kinds.ts'

export const proxyRunFlags = {
  accessLog: path('file of one JSON line for each request or connection, or stdout'),
  authorize: list(
    'SPIFFE ID, or spiffe://trust.domain for all of it, that may be at the other end',
  ),
  config: { ...path('configuration file'), defaultText: 'conf/proxy/proxy.conf' },
  expandEnv: boolean('replace $VARIABLES in the configuration file'),
  inbound: boolean('without a file: take mutual TLS at -listen for the workload at -upstream'),
  listen: text('without a file: ip:port to listen on'),
  logFile: path('file for the log, else standard output'),
  logFormat: choice('form of the log', ['text', 'json']),
  logLevel: choice('how much to log', ['debug', 'info', 'warn', 'error']),
  outbound: boolean('without a file: carry -listen by mutual TLS to the server at -upstream'),
  policyDir: path('directory of policies in YAML'),
  protocol: choice('without a file: what is spoken', ['auto', 'http', 'http2', 'tcp']),
  trustDomain: text('own trust domain, else that of the SVID'),
  upstream: text('without a file: host:port to connect to'),
  workloadAPISocket: path('Unix socket of the Workload API'),
}

export function toProxyFlags(values: FlagValues<typeof proxyRunFlags>): ProxyFlags {
  const { config: _, workloadAPISocket, ...same } = values
  return { ...same, workloadApiSocket: workloadAPISocket }
}
