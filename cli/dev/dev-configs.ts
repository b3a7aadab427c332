/** The configurations of the server and the agent of `steeple dev`: keys in memory, everything in one directory. */
import { join } from 'node:path'
import { type AgentConfig, readAgentConfig } from '../../agent/config.ts'
import { readText } from '../../config/read-text.ts'
import { readServerConfig, type ServerConfig } from '../../server/config.ts'

export interface DevPaths {
  readonly serverSocket: string
  readonly agentSocket: string
  readonly bundle: string
}

const LOOPBACK = '127.0.0.1'
/** Stands for the port that the system chooses. */
const ANY_PORT = 0

export function devPaths(directory: string): DevPaths {
  return {
    serverSocket: join(directory, 'server.sock'),
    agentSocket: join(directory, 'agent.sock'),
    bundle: join(directory, 'bundle.pem'),
  }
}

export interface DevOptions {
  readonly directory: string
  readonly trustDomain: string
  readonly logLevel: string
}

/** @throws IdentityError CONFIG_INVALID for a trust domain or a log level that is none */
export function devServerConfig({ directory, trustDomain, logLevel }: DevOptions): ServerConfig {
  const config = readServerConfig({
    ...source({
      server: {
        bind_address: LOOPBACK,
        trust_domain: trustDomain,
        data_dir: join(directory, 'server'),
        socket_path: devPaths(directory).serverSocket,
        log_level: logLevel,
      },
      plugins: {
        DataStore: {
          sql: {
            plugin_data: {
              database_type: 'sqlite3',
              connection_string: join(directory, 'server', 'datastore.sqlite3'),
            },
          },
        },
        KeyManager: { memory: { plugin_data: {} } },
        NodeAttestor: { join_token: { plugin_data: {} } },
      },
    }),
  })
  return { ...config, bindPort: ANY_PORT }
}

export function devAgentConfig(
  { directory, trustDomain, logLevel }: DevOptions,
  { port, joinToken }: { readonly port: number; readonly joinToken: string },
): AgentConfig {
  const { agentSocket, bundle } = devPaths(directory)
  return readAgentConfig({
    ...source({
      agent: {
        data_dir: join(directory, 'agent'),
        server_address: LOOPBACK,
        server_port: port,
        socket_path: agentSocket,
        trust_domain: trustDomain,
        trust_bundle_path: bundle,
        join_token: joinToken,
        log_level: logLevel,
      },
      plugins: {
        KeyManager: { memory: { plugin_data: {} } },
        NodeAttestor: { join_token: { plugin_data: {} } },
        WorkloadAttestor: { unix: { plugin_data: {} } },
      },
    }),
  })
}

function source(document: object) {
  return { path: 'steeple dev.json', text: JSON.stringify(document), flags: {}, env: {}, readText }
}
