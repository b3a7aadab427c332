/** The flags of `run` and `validate` of the agent; each stands over its key in the file. */
import type { AgentFlags } from '../../agent/config.ts'
import type { FlagValues } from '../flag/flag.ts'
import { boolean, choice, integer, path, text } from '../flag/kinds.ts'

export const agentRunFlags = {
  allowUnauthenticatedVerifiers: boolean('give bundles to processes without an entry, too'),
  config: { ...path('configuration file'), defaultText: 'conf/agent/agent.conf' },
  dataDir: path('directory for what the agent keeps'),
  disableSDSAPI: boolean('do not serve the Envoy SDS API'),
  disableWorkloadAPI: boolean('do not serve the SPIFFE Workload API'),
  expandEnv: boolean('replace $VARIABLES in the configuration file'),
  insecureBootstrap: boolean('believe whatever server answers first; for tests only'),
  joinToken: text('join token, made by "steeple server token generate"'),
  joinTokenFile: path('file with the join token'),
  logFile: path('file for the log, else standard output'),
  logFormat: choice('form of the log', ['text', 'json']),
  logLevel: choice('how much to log', ['debug', 'info', 'warn', 'error']),
  logSourceLocation: boolean('show source lines in the log'),
  rebootstrapDelay: text('how long to wait before bootstrapping again, e.g. 10m'),
  rebootstrapMode: choice('when to bootstrap again', ['never', 'auto', 'always']),
  serverAddress: text('IP address or DNS name of the server'),
  serverPort: integer('TCP port of the server'),
  socketPath: path('Unix socket of the Workload API'),
  trustBundle: path('file with the bundle to know the server by'),
  trustBundleFormat: choice('form of the bundle', ['pem', 'spiffe']),
  trustBundleUrl: text('where to download the bundle to know the server by'),
  trustDomain: text('trust domain of the agent'),
}

export function toAgentFlags(values: FlagValues<typeof agentRunFlags>): AgentFlags {
  const { config: _, disableSDSAPI, disableWorkloadAPI, ...same } = values
  return { ...same, disableSdsApi: disableSDSAPI, disableWorkloadApi: disableWorkloadAPI }
}
