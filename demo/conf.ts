/** The configuration files of the demo: an ordinary server and agent, but for a CA that lives half a minute. */
import { readFileSync } from 'node:fs'

export function serverConf({
  dir,
  port,
  socket,
}: {
  dir: string
  port: number
  socket: string
}): string {
  return `server {
  trust_domain = "demo.example"
  bind_address = "127.0.0.1"
  bind_port = ${port}
  socket_path = "${socket}"
  data_dir = "${dir}/data"
  ca_ttl = "30s"
  default_x509_svid_ttl = "5s"
  agent_ttl = "12s"
}
plugins {
  DataStore "sql" {
    plugin_data { database_type = "sqlite3"  connection_string = "${dir}/data/datastore.sqlite3" }
  }
  KeyManager "disk" { plugin_data { keys_path = "${dir}/data/keys.json" } }
  NodeAttestor "join_token" { plugin_data {} }
}
`
}

export function agentConf(at: { dir: string; serverConf: string; socket: string }): string {
  const port = readFileSync(at.serverConf, 'utf8').match(/bind_port = (\d+)/)?.[1]
  return `agent {
  trust_domain = "demo.example"
  server_address = "127.0.0.1"
  server_port = ${port}
  socket_path = "${at.socket}"
  data_dir = "${at.dir}/data"
  trust_bundle_path = "${at.dir}/bundle.pem"
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" {
    plugin_data { discover_workload_path = true  workload_size_limit = -1 }
  }
}
`
}
