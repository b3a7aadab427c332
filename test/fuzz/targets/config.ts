/** Configuration as people write it: HCL, YAML and JSON, by format and as the files of each process; connection strings. */
import { readAgentConfig } from '../../../agent/config.ts'
import { expandEnv } from '../../../config/expand-env.ts'
import { parseHcl } from '../../../config/hcl.ts'
import { parseJson } from '../../../config/json.ts'
import { parseConfig } from '../../../config/parse.ts'
import type { ConfigNode } from '../../../config/tree.ts'
import { parseYaml } from '../../../config/yaml.ts'
import { readOidcConfig } from '../../../oidc/config.ts'
import { readProxyConfig } from '../../../proxy/config.ts'
import { parsePostgresTarget } from '../../../server/config/postgres-target.ts'
import { parseSqlitePath } from '../../../server/config/sqlite-path.ts'
import { readServerConfig } from '../../../server/config.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, ofText, readByOther } from '../target.ts'

/** The tree without its places, as plain data; what could stand for two things is told apart. */
function plain(node: ConfigNode): unknown {
  if (node.kind === 'object') return node.members.map((one) => [one.key, plain(one.value)])
  if (node.kind === 'list') return node.items.map(plain)
  if (node.kind === 'number') return Number(node.text)
  return node.kind === 'null' ? null : node.value
}

const HCL_WORDS = [
  'server {\n',
  'agent {\n',
  'plugins {\n',
  '}\n',
  ' = ',
  '"',
  '<<EOF\n',
  '\nEOF\n',
  '<<-A\n',
  '${',
  '\\"',
  '#',
  '//',
  '/*',
  '*/',
  '[',
  ']',
  ',',
  'true',
  '0x10',
  '1.5',
  'KeyManager "memory" { plugin_data {} }',
]
const SERVER = `server {
  trust_domain = "example.org"
  data_dir = "/d"
  ca_ttl = "24h"
  log_level = "DEBUG"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "/d/x.db" } }
  KeyManager "memory" {}
  NodeAttestor "join_token" { plugin_data {} }
}
`
const AGENT = `agent {
  trust_domain = "example.org"
  data_dir = "/d"
  server_address = "127.0.0.1"
  server_port = 8081
  insecure_bootstrap = true
}
plugins {
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
`
const readText = (path: string): string => {
  throw new IdentityError('CONFIG_INVALID', `unable to read ${path}`)
}

const hcl: FuzzTarget = {
  name: 'config-hcl',
  oracle: 'reading the same text twice gives the same tree',
  seeds: [
    SERVER,
    AGENT,
    'a = <<EOF\nx\nEOF\n',
    'a "b" "c" { d = [1, "x", true] }\n',
    '// c\n/* d */ e = "\\u00e9"',
  ].map(ofText),
  dictionary: HCL_WORDS,
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    const read = answerOf(() => parseHcl('a.conf', text))
    if (read !== undefined) mustEqual('tree', parseHcl('a.conf', text), read.answer)
    expandEnv(text, { A: 'x' })
  },
}

const json: FuzzTarget = {
  name: 'config-json',
  oracle: 'what is read JSON.parse reads too, with the same scalars',
  seeds: ['{"server":{"trust_domain":"a","x":[1,true,null,"\\n"]}}', '[]', '1'].map(ofText),
  dictionary: ['{"', '"}', '":', '\\u0000', '1e5', '-0', '[', ']', 'null', '"__proto__"'],
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    const read = answerOf(() => parseJson('a.json', text))
    if (read === undefined) return
    const other = readByOther<unknown>(() => JSON.parse(text))
    if (other === undefined) throw broken('JSON.parse refuses it')
    const scalar = read.answer.kind !== 'object' && read.answer.kind !== 'list'
    if (scalar) mustEqual('scalar', plain(read.answer), other.answer)
  },
}

const yaml: FuzzTarget = {
  name: 'config-yaml',
  oracle: 'a text that is JSON as well means the same in both',
  seeds: [
    'server:\n  trust_domain: a\n  x: [1, true, ~]\n',
    '{"a": "b"}',
    'a: |\n  x\n  y\nb: >-\n  z\n',
    '--- {}\n',
  ].map(ofText),
  dictionary: [
    '- ',
    ': ',
    '\n  ',
    '|\n',
    '>-\n',
    '&a ',
    '*a',
    '!!binary ',
    '---\n',
    '...\n',
    '? ',
    '"',
    "'",
    '{',
    '}',
    '%YAML 1.2\n',
    '<<: ',
    '\t',
    '~',
    '0o17',
    '.inf',
  ],
  ...{ maxBytes: 2_048, share: 2 },
  run(input) {
    const text = input.toString('utf8')
    const read = answerOf(() => parseYaml('a.yaml', text))
    const other = read === undefined ? undefined : answerOf(() => parseJson('a.json', text))
    if (read !== undefined && other !== undefined)
      mustEqual('tree', plain(read.answer), plain(other.answer))
  },
}

const NAMES = ['a.conf', 'a.yaml', 'a.json'] as const
const processes: FuzzTarget = {
  name: 'config-process',
  oracle: 'each process reads or refuses it, in whichever format',
  seeds: [SERVER, AGENT, 'listeners: []\nidentity: {}\n', '{"server":{"trust_domain":"a"}}'].map(
    (text, at) => Buffer.concat([Buffer.from([at === 2 ? 1 : at === 3 ? 2 : 0]), ofText(text)]),
  ),
  dictionary: [
    ...HCL_WORDS,
    'trust_domain',
    'data_dir',
    'ca_ttl',
    'federation {',
    'bundle_endpoint',
    'federates_with "b" {',
    'rate_limit {',
    'ca_subject {',
    'health_checks {',
    'telemetry {',
    'experimental {',
    'UpstreamAuthority "disk"',
    'BundlePublisher',
    'NodeAttestor "x509pop"',
    'NodeAttestor "k8s_psat"',
    'WorkloadAttestor "k8s"',
    'WorkloadAttestor "docker"',
    'inbound',
    'outbound',
    'policies',
    'spiffe_id',
  ],
  ...{ maxBytes: 4_096, share: 1 },
  run(input) {
    const path = NAMES[(input[0] ?? 0) % NAMES.length] ?? 'a.conf'
    const text = input.toString('utf8', 1)
    answerOf(() => parseConfig(path, text))
    const file = { path, text, env: {}, readText }
    answerOf(() => readServerConfig({ ...file, flags: {} }))
    answerOf(() => readAgentConfig({ ...file, flags: {} }))
    answerOf(() => readProxyConfig({ ...file, flags: {} }))
    answerOf(() => readOidcConfig({ ...file, flags: {} }))
  },
}

const target: FuzzTarget = {
  name: 'config-postgres',
  oracle: 'a refusal never shows the string; what is read has a port and a time that exist',
  seeds: [
    'host=a port=5432 user=u password=secretsecret dbname=d sslmode=disable',
    'postgres://u:secretsecret@h:1/d?sslmode=verify-full',
    "host='a b' user=\\'x",
    'file:x.db?_fk=1',
  ].map(ofText),
  dictionary: [
    'postgres://',
    'postgresql://',
    'host=',
    'port=',
    'user=',
    'sslmode=',
    'require',
    'verify-ca',
    'connect_timeout=',
    '%2F',
    '%zz',
    "'",
    '\\',
    '@',
    ':',
    '?',
    '&',
    ',',
    'options=',
    'search_path=',
  ],
  ...{ maxBytes: 1_024, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    answerOf(() => parseSqlitePath(text))
    try {
      const read = parsePostgresTarget({ text, account: 'me', readText, onWarning: () => {} })
      for (const { port } of read.hosts)
        if (!(port >= 1 && port <= 65_535)) throw broken(`port ${port}`)
      if (!(read.connectTimeoutMs > 0)) throw broken(`time ${read.connectTimeoutMs}`)
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      if (error.message.includes('secretsecret')) throw broken('a refusal shows the password')
    }
  },
}

export const targets: readonly FuzzTarget[] = [hcl, json, yaml, processes, target]
