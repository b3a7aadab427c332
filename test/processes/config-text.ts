/** The configuration files that both kinds of server and agent are started with, to the letter. */
import type { AgentOptions, Server, ServerOptions } from './cluster.ts'

const JOIN_TOKEN = 'NodeAttestor "join_token" { plugin_data {} }'

export interface ServerConf {
  readonly dir: string
  readonly port: number
  readonly trustDomain: string
  readonly socket: string
  readonly options: ServerOptions
}

export function serverConf({ dir, port, trustDomain, socket, options }: ServerConf): string {
  const keys =
    options.keyStore ?? `KeyManager "disk" { plugin_data { keys_path = "${dir}/keys.json" } }`
  return `server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${socket}"
  trust_domain = "${trustDomain}"
  data_dir = "${dir}"
  log_level = "${options.logLevel ?? 'DEBUG'}"
  ratelimit { attestation = false  signing = false }
  ${options.settings ?? ''}
}
plugins {
  DataStore "sql" {
    plugin_data { ${options.dataStore ?? `database_type = "sqlite3"  connection_string = "${dir}/datastore.sqlite3"`} }
  }
  ${keys}
  ${options.nodeAttestor ?? JOIN_TOKEN}
  ${options.plugins ?? ''}
}
${options.blocks ?? ''}
`
}

export interface AgentConf {
  readonly dir: string
  readonly socket: string
  readonly adminSocket: string
  readonly bundle: string
  readonly server: Server
  readonly options: AgentOptions
}

export function agentConf(conf: AgentConf): string {
  const { dir, socket, adminSocket, bundle, server, options } = conf
  const keys = options.keyStore ?? `KeyManager "disk" { plugin_data { directory = "${dir}/data" } }`
  return `agent {
  data_dir = "${dir}/data"
  server_address = "${options.serverAddress ?? '127.0.0.1'}"
  server_port = "${server.port}"
  socket_path = "${socket}"
  trust_domain = "${server.trustDomain}"
  trust_bundle_path = "${bundle}"
  log_level = "${options.logLevel ?? 'DEBUG'}"
  ${options.hasAdminSocket ? `admin_socket_path = "${adminSocket}"` : ''}
  ${options.settings ?? ''}
}
plugins {
  ${keys}
  ${options.nodeAttestor?.block ?? JOIN_TOKEN}
  WorkloadAttestor "unix" { plugin_data { ${options.workloadAttestor ?? ''} } }
  ${options.plugins ?? ''}
}
${options.blocks ?? ''}
`
}
