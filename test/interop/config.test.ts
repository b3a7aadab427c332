/** Our reading of HCL against the real SPIRE server's, value by value and file by file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { steeple } from '../processes/cluster.ts'
import { run } from '../processes/process.ts'
import { HCL_BODIES, HCL_VALUES } from '../vectors/hcl-values.ts'
import { interop, peer } from './interop.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-hcl-'))
afterAll(() => rmSync(dir, { recursive: true }))

async function validate(body: string): Promise<{ valid: boolean; output: string }> {
  const path = join(dir, 'server.conf')
  const store = `database_type = "sqlite3" connection_string = "${join(dir, 'x.db')}"`
  const plugins = `plugins {\nDataStore "sql" { plugin_data { ${store} } }\nKeyManager "memory" { }\n}`
  writeFileSync(
    path,
    `server {\n${body}\ntrust_domain = "example.org"\ndata_dir = "${dir}"\n}\n${plugins}\n`,
  )
  const { stdout, stderr } = await run(peer('spire-server'), ['validate', '-config', path])
  return { valid: stdout.includes('is valid'), output: stdout + stderr }
}

interop('SPIRE reads every value of HCL as we do', ['spire-server'], async () => {
  for (const { title, written, read } of HCL_VALUES) {
    // A key type that nobody has is told in Go's quotes, which shows what was read.
    const { output } = await validate(`ca_key_type = ${written}`)
    const shown = /key type ("(?:[^"\\]|\\.)*") is unknown/.exec(output)?.[1]
    expect(shown === undefined ? undefined : JSON.parse(shown), title).toBe(read)
  }
})

interop('SPIRE accepts the files that we accept', ['spire-server'], async () => {
  for (const [title, body, verdict] of HCL_BODIES) {
    expect((await validate(body)).valid, title).toBe(verdict === 'read')
  }
})

/** Bodies of `server`: whether both take them. What only SPIRE takes, we refuse by name (CONFIGURATION.md). */
const SERVER_BODIES: readonly (readonly [string, string, boolean])[] = [
  ['ranges of balancers', 'proxy_protocol_trusted_cidrs = ["10.0.0.0/8", "fd00::/64"]', true],
  ['a bare address', 'proxy_protocol_trusted_cidrs = ["10.0.0.1"]', false],
  ['a prefix that is too long', 'proxy_protocol_trusted_cidrs = ["10.0.0.0/33"]', false],
  [
    'pruning',
    'prune_attested_nodes_expired_for = "720h"\nprune_tofu_nodes = true\nprune_attested_nodes_batch_size = 5',
    true,
  ],
  ['pruning without a duration', 'prune_attested_nodes_expired_for = "soon"', false],
  ['staleness', 'max_attested_node_info_staleness = "1m"', true],
  ['a staleness that is none', 'max_attested_node_info_staleness = "x"', false],
  ['source locations', 'log_source_location = true', true],
  [
    'experiments',
    'experimental { agent_spiffe_id_as_selector = true require_pq_kem = true wit_issuer = "x" wit_key_type = "ec-p384" }',
    true,
  ],
  ['a key type that nobody has', 'experimental { wit_key_type = "dsa" }', false],
  ['a feature that nobody has', 'experimental { feature_flags = ["warp"] }', false],
]

interop(
  'SPIRE takes and refuses the same values of operational keys',
  ['spire-server'],
  async () => {
    for (const [title, body, isValid] of SERVER_BODIES) {
      expect((await validate(body)).valid, `SPIRE: ${title}`).toBe(isValid)
      const path = join(dir, 'server.conf')
      const { code, stdout, stderr } = await run(steeple, ['server', 'validate', '-config', path])
      expect(code === 0, `Steeple: ${title}: ${stdout}${stderr}`).toBe(isValid)
    }
  },
)

/** Bodies of `agent` beside its way to trust the server. */
const AGENT_BODIES: readonly (readonly [string, string, boolean])[] = [
  ['a file', 'trust_bundle_path = "/b.pem"', true],
  ['a Workload API', 'trust_bundle_spiffe_workload_api = "unix:///run/a.sock"', true],
  ['a path instead of its address', 'trust_bundle_spiffe_workload_api = "/run/a.sock"', false],
  [
    'a Unix socket',
    'trust_bundle_unix_socket = "/run/b.sock"\ntrust_bundle_url = "http://x/b?y=1"',
    true,
  ],
  [
    'a Unix socket with https',
    'trust_bundle_unix_socket = "/run/b.sock"\ntrust_bundle_url = "https://x/b"',
    false,
  ],
  [
    'a Unix socket with a parameter that the agent sets',
    'trust_bundle_unix_socket = "/run/b.sock"\ntrust_bundle_url = "http://x/b?spire-x=1"',
    false,
  ],
  ['a Unix socket alone', 'trust_bundle_unix_socket = "/r"\ntrust_bundle_path = "/b"', false],
  ['http without a Unix socket', 'trust_bundle_url = "http://x/b"', false],
  ['rebootstrapping', 'trust_bundle_path = "/b"\nrebootstrap_mode = "auto"', true],
  ['rebootstrapping by anybody', 'insecure_bootstrap = true\nrebootstrap_mode = "always"', false],
  ['an unknown mode', 'trust_bundle_path = "/b"\nrebootstrap_mode = "maybe"', false],
  ['a delay that is none', 'trust_bundle_path = "/b"\nrebootstrap_delay = "soon"', false],
  ['an availability target', 'trust_bundle_path = "/b"\navailability_target = "24h"', true],
  ['one that is too short', 'trust_bundle_path = "/b"\navailability_target = "23h"', false],
  [
    'experiments',
    'trust_bundle_path = "/b"\nexperimental { require_pq_kem = true use_sync_authorized_entries = false }',
    true,
  ],
]

interop(
  'SPIRE’s agent takes and refuses the same values of operational keys',
  ['spire-agent'],
  async () => {
    const path = join(dir, 'agent.conf')
    const plugins =
      'plugins {\nKeyManager "memory" { plugin_data {} }\nNodeAttestor "join_token" { plugin_data {} }\nWorkloadAttestor "unix" { plugin_data {} }\n}'
    for (const [title, body, isValid] of AGENT_BODIES) {
      const fixed = 'trust_domain = "example.org"\nserver_address = "x"\nserver_port = 8081'
      writeFileSync(path, `agent {\n${fixed}\n${body}\n}\n${plugins}\n`)
      const theirs = await run(peer('spire-agent'), ['validate', '-config', path])
      expect(theirs.stdout.includes('is valid'), `SPIRE: ${title}`).toBe(isValid)
      const { code, stdout, stderr } = await run(steeple, ['agent', 'validate', '-config', path])
      expect(code === 0, `Steeple: ${title}: ${stdout}${stderr}`).toBe(isValid)
    }
  },
)
