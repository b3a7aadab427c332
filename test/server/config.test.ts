/** server.conf: what is read, what is refused, and that no key of SPIRE's is ignored. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAgentPathTemplate } from '../../server/attest/agent-path-template.ts'
import { serverKeys } from '../../server/config/keys.ts'
import { parseSqlitePath } from '../../server/config/sqlite-path.ts'
import { loadServerConfig, readServerConfig, type ServerFlags } from '../../server/config.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { testSharedBlocks } from '../config/shared-blocks.ts'
import { refusalOf } from '../config/trees.ts'
import { testCa } from '../fakes/ca.ts'
import { HCL_BODIES } from '../vectors/hcl-values.ts'

interface Options {
  readonly path?: string
  readonly flags?: ServerFlags
  readonly env?: Record<string, string>
}

function read(text: string, { path = 'server.conf', flags = {}, env = {} }: Options = {}) {
  const readText = (name: string) => {
    throw new IdentityError('CONFIG_INVALID', `unable to read ${name}`)
  }
  return readServerConfig({ path, text, flags, env, readText })
}

const SQL =
  'DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "/d/x.db" } }'
const PLUGINS = `plugins {\n${SQL}\nKeyManager "memory" { }\n}`

/** The smallest file, with `body` from line 4 on. */
const server = (body: string, plugins = PLUGINS) =>
  `server {\ntrust_domain = "example.org"\ndata_dir = "/d"\n${body}\n}\n${plugins}`

test('reads the smallest file, with every default', () => {
  expect(read(server(''))).toEqual({
    adminIds: [],
    attestorsInFiles: [],
    controller: undefined,
    injection: undefined,
    policyStatus: undefined,
    agentTtlSeconds: undefined,
    bindAddress: '0.0.0.0',
    bindPort: 8081,
    caKeyType: 'ec-p256',
    caSubject: { country: ['US'], organization: ['SPIFFE'], commonName: undefined },
    caTtlSeconds: 86_400,
    dataDir: '/d',
    dataStore: { kind: 'sqlite', path: '/d/x.db', migrates: true, logsSql: false },
    defaultJwtSvidTtlSeconds: 300,
    defaultX509SvidTtlSeconds: 3600,
    disableJwtSvids: false,
    federation: { endpoint: undefined, relationships: [] },
    hasAgentIdSelector: false,
    hasAuditLog: false,
    health: undefined,
    jwtIssuer: undefined,
    jwtKeyType: 'ec-p256',
    keyManager: { kind: 'memory' },
    log: { level: 'INFO', format: 'text', file: undefined, hasSource: false },
    mesh: { istioCa: undefined, linkerd: undefined },
    nodeAttestors: [],
    podCertificates: [],
    pruneNodes: undefined,
    publishers: [],
    rateLimit: { attestation: true, signing: true },
    requirePqKem: false,
    socketPath: '/tmp/spire-server/private/api.sock',
    telemetry: undefined,
    trustDomain: 'example.org',
    trustedProxies: [],
    upstream: undefined,
    warnings: [],
  })
})

const FULL = `
# A whole server.
server {
    admin_ids = ["spiffe://example.org/admin", "spiffe://other.example/ops"]
    agent_ttl = "2h"
    audit_log_enabled = false
    bind_address = "127.0.0.1"
    bind_port = "8181"
    ca_key_type = "rsa-2048"
    ca_subject = {
        country = ["DE"],
        organization = ["Example", "Second"],
        common_name = "ca",
    }
    ca_ttl = "72h"
    data_dir = "/var/lib/steeple"
    default_x509_svid_ttl = "90m"
    default_jwt_svid_ttl = "10m"
    disable_jwt_svids = true
    jwt_issuer = "https://issuer.example.org"
    jwt_key_type = "EC-P384"
    log_file = "/var/log/steeple.log"
    log_level = "warning"
    log_format = "JSON"
    log_source_location = false
    max_attested_node_info_staleness = "1m"
    proxy_protocol_trusted_cidrs = ["10.0.0.0/8", "fd00::/64"]
    prune_attested_nodes_batch_size = 50
    prune_attested_nodes_expired_for = "720h"
    prune_tofu_nodes = true
    ratelimit { attestation = false }
    socket_path = "/run/steeple/server/api.sock"
    trust_domain = "spiffe://example.org"
    experimental {
        cache_reload_interval = "5s"
        events_based_cache = true
        agent_spiffe_id_as_selector = true
        require_pq_kem = true
    }
}

plugins {
    DataStore "sql" {
        plugin_data {
            database_type = "sqlite3"
            connection_string = "file:/var/lib/steeple/db?_journal_mode=WAL"
            disable_migration = true
            log_sql = true
        }
    }
    KeyManager "disk" { plugin_data { keys_path = "/var/lib/steeple/keys.json" } }
    KeyManager "memory" { enabled = false }
    NodeAttestor "join_token" { plugin_data {} }
    NodeAttestor "k8s_psat" { enabled = false }
    UpstreamAuthority "disk" { enabled = false }
}

health_checks { listener_enabled = false bind_port = "80" }
telemetry { }
`

test('reads a full file', () => {
  expect(read(FULL)).toEqual({
    adminIds: ['spiffe://example.org/admin', 'spiffe://other.example/ops'],
    attestorsInFiles: [],
    controller: undefined,
    injection: undefined,
    policyStatus: undefined,
    agentTtlSeconds: 7200,
    bindAddress: '127.0.0.1',
    bindPort: 8181,
    caKeyType: 'rsa-2048',
    caSubject: { country: ['DE'], organization: ['Example', 'Second'], commonName: 'ca' },
    caTtlSeconds: 259_200,
    dataDir: '/var/lib/steeple',
    dataStore: { kind: 'sqlite', path: '/var/lib/steeple/db', migrates: false, logsSql: true },
    defaultJwtSvidTtlSeconds: 600,
    defaultX509SvidTtlSeconds: 5400,
    disableJwtSvids: true,
    federation: { endpoint: undefined, relationships: [] },
    hasAgentIdSelector: true,
    hasAuditLog: false,
    health: undefined,
    jwtIssuer: 'https://issuer.example.org',
    jwtKeyType: 'ec-p384',
    keyManager: { kind: 'disk', keysPath: '/var/lib/steeple/keys.json' },
    log: { level: 'WARN', format: 'json', file: '/var/log/steeple.log', hasSource: false },
    mesh: { istioCa: undefined, linkerd: undefined },
    nodeAttestors: [{ kind: 'join_token' }],
    podCertificates: [],
    pruneNodes: { expiredForSeconds: 720 * 3600, includeNonReattestable: true, most: 50 },
    publishers: [],
    rateLimit: { attestation: false, signing: true },
    requirePqKem: true,
    socketPath: '/run/steeple/server/api.sock',
    telemetry: undefined,
    trustDomain: 'example.org',
    trustedProxies: [
      { address: '10.0.0.0', prefixBits: 8, family: 'ipv4' },
      { address: 'fd00::', prefixBits: 64, family: 'ipv6' },
    ],
    upstream: undefined,
    warnings: [
      expect.stringContaining(
        'server.conf:35:9: server.experimental.cache_reload_interval has no effect',
      ),
      expect.stringContaining(
        'server.conf:36:9: server.experimental.events_based_cache has no effect',
      ),
      expect.stringContaining(
        'server.conf:26:5: server.max_attested_node_info_staleness has no effect',
      ),
    ],
  })
})

test('reads the same from YAML and from JSON', () => {
  const tree = {
    server: { trust_domain: 'example.org', data_dir: '/d' },
    plugins: {
      DataStore: {
        sql: { plugin_data: { database_type: 'sqlite3', connection_string: '/d/x.db' } },
      },
      KeyManager: [{ memory: null }],
    },
  }
  const expected = read(server(''))
  expect(read(JSON.stringify(tree), { path: 'server.json' })).toEqual(expected)
  expect(read(JSON.stringify(tree), { path: 'server.conf' })).toEqual(expected)
  const yaml = [
    'server: {trust_domain: example.org, data_dir: /d}',
    'plugins:',
    '  DataStore:',
    '    sql: {plugin_data: {database_type: sqlite3, connection_string: /d/x.db}}',
    '  KeyManager:',
    '    memory:',
  ]
  expect(read(yaml.join('\n'), { path: 'server.yaml' })).toEqual(expected)
})

test('gives an object that cannot be changed', () => {
  const config = read(FULL)
  for (const part of [config, config.adminIds, config.caSubject.country, config.log]) {
    expect(Object.isFrozen(part)).toBe(true)
  }
})

test('lets flags override the file', () => {
  const flags: ServerFlags = {
    bindAddress: '::1',
    dataDir: '/flag',
    logFile: '/flag.log',
    logFormat: 'text',
    logLevel: 'debug',
    logSourceLocation: false,
    serverPort: 1234,
    socketPath: '/flag.sock',
    trustDomain: 'flag.example',
  }
  expect(read(FULL, { flags })).toMatchObject({
    bindAddress: '::1',
    bindPort: 1234,
    dataDir: '/flag',
    log: { level: 'DEBUG', format: 'text', file: '/flag.log', hasSource: false },
    socketPath: '/flag.sock',
    trustDomain: 'flag.example',
  })
  expect(read(`server { }\n${PLUGINS}`, { flags })).toMatchObject({ trustDomain: 'flag.example' })
  expect(read(PLUGINS, { flags })).toMatchObject({ dataDir: '/flag' })
  expect(read(FULL, { flags: { logSourceLocation: true } }).log.hasSource).toBe(true)
})

test('expands the environment only when the flag asks for it', () => {
  const text = server('jwt_issuer = "$ISSUER"')
  const env = { ISSUER: 'https://example.org' }
  expect(read(text, { env }).jwtIssuer).toBe('$ISSUER')
  expect(read(text, { env, flags: { expandEnv: true } }).jwtIssuer).toBe('https://example.org')
  expect(read(text, { flags: { expandEnv: true } }).jwtIssuer).toBeUndefined()
})

const missing = (key: string, expected: string) =>
  `server.conf:1:1: server.${key} is missing (expected ${expected})`

test('tells everything that an empty file lacks', () => {
  expect(refusalOf(() => read('')).split('\n')).toEqual([
    missing('data_dir', 'a path'),
    missing('trust_domain', 'the name of a trust domain, such as example.org'),
    'server.conf:1:1: 0 plugins are enabled in plugins.DataStore (expected exactly 1 of sql)',
    'server.conf:1:1: 0 plugins are enabled in plugins.KeyManager (expected exactly 1 of memory, disk)',
  ])
})

test.for([
  [
    'an admin that is no SPIFFE ID',
    'admin_ids = ["nope"]',
    '4:1: server.admin_ids item 0 is wrong: not a SPIFFE ID: "nope"',
  ],
  [
    'a key type that nobody has',
    'ca_key_type = "ed25519"',
    '4:1: server.ca_key_type is "ed25519" (expected one of ec-p256, ec-p384, rsa-2048, rsa-4096)',
  ],
  ['a log level that nobody has', 'log_level = "loud"', '4:1: server.log_level is "loud"'],
  [
    'a log format that nobody has',
    'log_format = "xml"',
    '4:1: server.log_format is "xml" (expected one of text, json)',
  ],
  ['days', 'ca_ttl = "1d"', '4:1: server.ca_ttl is wrong: "1d" is not a duration'],
  [
    'an empty trust domain',
    'trust_domain = ""',
    '4:1: server.trust_domain is written more than once',
  ],
  [
    'an unknown key of the subject',
    'ca_subject { org = ["x"] }',
    '4:14: unknown key "org" in server.ca_subject',
  ],
  [
    'an unknown limit',
    'ratelimit { signin = true }',
    '4:13: unknown key "signin" in server.ratelimit (did you mean "signing"?)',
  ],
  [
    'an experiment that is unknown',
    'experimental { x = 1 }',
    '4:16: unknown key "x" in server.experimental',
  ],
  [
    'a Windows pipe',
    'experimental { named_pipe_name = "x" }',
    '4:16: server.experimental.named_pipe_name is for Windows only; use server.socket_path',
  ],
] as const)('refuses %s', ([, body, message]) => {
  const refusal = refusalOf(() => read(server(body)))
  expect(refusal.split('\n')).toHaveLength(1)
  expect(refusal).toContain(`server.conf:${message}`)
})

const store = (data: string) =>
  server('', `plugins {\nDataStore "sql" { plugin_data {\n${data}\n} }\nKeyManager "memory" { }\n}`)

test.for([
  [
    'mysql',
    'database_type = "mysql"\nconnection_string = "u:s3cr3t@tcp(x)/db?y=z"',
    'several servers share PostgreSQL alone, whose locks and notifications they rely on',
  ],
  [
    'aws_mysql',
    'database_type "aws_mysql" { region = "x" }\nconnection_string = "u:s3cr3t@tcp(x)/db?y=z"',
    'several servers share PostgreSQL alone, whose locks and notifications they rely on',
  ],
  [
    'aws_postgres',
    'database_type "aws_postgres" { region = "x" }\nconnection_string = "postgres://s3cr3t@x"',
    'logins by AWS IAM are not made; give postgres a password or a client certificate of the database',
  ],
] as const)('refuses the database %s by name, and never shows its login', ([name, data, why]) => {
  const refusal = refusalOf(() => read(store(data)))
  expect(refusal).toBe(
    `server.conf:8:1: plugins.DataStore.sql.database_type "${name}" is not offered: ${why} (expected sqlite3 or postgres)`,
  )
})

const POSTGRES = 'database_type = "postgres"'

test('reads a PostgreSQL with all its keys', () => {
  const { dataStore, warnings } = read(
    store(`${POSTGRES}
      connection_string = "host=/run/pg user=u password=p dbname=d"
      ro_connection_string = "postgres://u:p@[::1]:6432,127.0.0.1/d?sslmode=disable"
      max_open_conns = 20
      max_idle_conns = 0
      conn_max_lifetime = "30m"
      disable_migration = true
      log_sql = true`),
  )
  const target = { user: 'u', password: 'p', database: 'd', wants: 'any' }
  expect(dataStore).toMatchObject({
    kind: 'postgres',
    primary: { ...target, hosts: [{ host: '/run/pg', port: 5432 }] },
    readOnly: {
      ...target,
      hosts: [
        { host: '::1', port: 6432 },
        { host: '127.0.0.1', port: 5432 },
      ],
      tls: { mode: 'disable' },
    },
    ...{ maxOpenConnections: 20, maxIdleConnections: 0, connectionLifeMs: 1_800_000 },
    ...{ migrates: false, logsSql: true },
  })
  expect(warnings).toEqual([])
})

test('a PostgreSQL of which only the place is said has the limits that SPIRE has', () => {
  const { dataStore } = read(store(`${POSTGRES}\nconnection_string = "host=/run/pg user=u"`))
  expect(dataStore).toMatchObject({
    readOnly: undefined,
    ...{ maxOpenConnections: 100, maxIdleConnections: 100, connectionLifeMs: undefined },
    ...{ migrates: true, logsSql: false },
  })
})

test('says that TLS without roots verifies nobody', () => {
  const { warnings } = read(store(`${POSTGRES}\nconnection_string = "host=db.example user=u"`))
  expect(warnings).toEqual([
    'server.conf:9:1: plugins.DataStore.sql.connection_string: sslmode=require without sslrootcert encrypts but does not verify who answers: use sslmode=verify-full with sslrootcert',
  ])
})

test.for([
  ['a connection string that is none', 'connection_string = "s3cr3t"', 'cannot be read after'],
  [
    'a wrong read-only one',
    'connection_string = "user=u"\nro_connection_string = "user=u s3cr3t=1"',
    'plugins.DataStore.sql (ro_connection_string): connection_string has an unknown setting, the one with number 2',
  ],
  [
    'one connection',
    'connection_string = "user=u"\nmax_open_conns = 1',
    'max_open_conns is 1 (expected a number from 2 to 1000)',
  ],
  [
    'fewer than no idle connections',
    'connection_string = "user=u"\nmax_idle_conns = -1',
    'max_idle_conns is -1 (expected a number from 0 to 1000)',
  ],
  [
    'a life that is no duration',
    'connection_string = "user=u"\nconn_max_lifetime = "zz"',
    'conn_max_lifetime is wrong: "zz" is not a duration',
  ],
  [
    'the keys that MySQL has for TLS',
    'connection_string = "user=u"\nroot_ca_path = "/ca.pem"',
    'root_ca_path is for MySQL, in SPIRE too; PostgreSQL takes sslrootcert, sslcert and sslkey in connection_string',
  ],
  [
    'a file of roots that is not there',
    'connection_string = "user=u sslmode=verify-full sslrootcert=/nowhere/ca.pem"',
    'unable to read',
  ],
] as const)('refuses a PostgreSQL with %s, and never shows its login', ([, data, message]) => {
  const refusal = refusalOf(() => read(store(`${POSTGRES}\n${data}`)))
  expect(refusal).toContain(message)
  expect(refusal).not.toContain('s3cr3t')
})

test.for([
  [
    'no kind',
    'connection_string = "/x"',
    'plugins.DataStore.sql.database_type is missing (expected sqlite3 or postgres)',
  ],
  ['no string', 'database_type = "sqlite3"', 'plugins.DataStore.sql.connection_string is missing'],
  [
    'an unknown kind',
    'database_type = "oracle"\nconnection_string = "/x"',
    '8:1: plugins.DataStore.sql.database_type is "oracle" (expected sqlite3 or postgres)',
  ],
  [
    'a number as kind',
    'database_type = 3\nconnection_string = "/x"',
    '8:1: plugins.DataStore.sql.database_type is a number',
  ],
  [
    'an option of SQLite',
    'database_type = "sqlite3"\nconnection_string = "/x?_busy_timeout=5"',
    '9:1: plugins.DataStore.sql: connection_string has the option "_busy_timeout"',
  ],
  [
    'a second database for a file of this machine',
    'database_type = "sqlite3"\nconnection_string = "/x"\nro_connection_string = "/y"',
    '10:1: plugins.DataStore.sql.ro_connection_string is for databases on the network',
  ],
] as const)('refuses a datastore with %s', ([, data, message]) => {
  expect(refusalOf(() => read(store(data)))).toContain(message)
})

test('warns of a database that is lost when the server stops', () => {
  const { dataStore, warnings } = read(
    store('database_type = "sqlite3"\nconnection_string = ":memory:"'),
  )
  expect(dataStore).toMatchObject({ path: ':memory:' })
  expect(warnings).toEqual([expect.stringContaining('server.conf:9:1: the database is in memory')])
})

test.for([
  ['x.db', 'x.db'],
  ['./d/x.db', './d/x.db'],
  ['/d/x y.db', '/d/x y.db'],
  ['/d/x%20y.db', '/d/x y.db'],
  ['file:x.db', 'x.db'],
  ['file:/d/x.db', '/d/x.db'],
  ['file:///d/x.db', '/d/x.db'],
  ['file://localhost/d/x.db', '/d/x.db'],
  ['x.db?_journal_mode=WAL&_foreign_keys=ON', 'x.db'],
  ['file:x.db?mode=rwc&cache=private&_synchronous=FULL', 'x.db'],
  ['file::memory:', ':memory:'],
  ['file:x?mode=memory&cache=shared', ':memory:'],
  [':memory:', ':memory:'],
] as const)('opens %s at %s', ([connectionString, path]) => {
  expect(parseSqlitePath(connectionString)).toBe(path)
})

test.for([
  ['x.db?mode=ro', 'sets mode to another value than rwc or memory'],
  ['x.db?_journal_mode=DELETE', 'sets _journal_mode to another value than wal'],
  ['x.db?_foreign_keys=off', 'sets _foreign_keys to another value'],
  ['x.db?_synchronous=OFF', 'sets _synchronous to another value'],
  ['x.db?nolock=1', 'has the option "nolock", which is not offered'],
  ['x.db?constructor=1', 'has the option "constructor", which is not offered'],
  ['x.db?a?b', 'has more than one ?'],
  ['x.db#y', 'has a fragment'],
  ['http://x/y', 'is no path and no file: URI'],
  ['file://host/x.db', 'is no path and no file: URI'],
  ['file:', 'names no file'],
  ['', 'names no file'],
  ['%00', 'names no file'],
  ['%zz', 'has a wrong % escape'],
] as const)('refuses to open %j', ([connectionString, why]) => {
  expect(refusalOf(() => parseSqlitePath(connectionString))).toContain(`connection_string ${why}`)
})

test.for([
  [
    'default_x509_svid_ttl',
    'default_x509_svid_ttl = "5h"',
    '4:1: default_x509_svid_ttl of 5h0m0s may be cut short when the CA rotates: set it to 4h0m0s or less, or ca_ttl to 30h0m0s or more',
  ],
  ['default_jwt_svid_ttl', 'default_jwt_svid_ttl = "241m"', '4:1: default_jwt_svid_ttl of 4h1m0s'],
  [
    'agent_ttl',
    'ca_ttl = "2400h"\nagent_ttl = "200h"',
    '5:1: agent_ttl of 200h0m0s may be cut short when the CA rotates: set it to 168h0m0s or less',
  ],
  ['a default', 'ca_ttl = "5h"', '1:1: default_x509_svid_ttl of 1h0m0s'],
] as const)('warns when %s is longer than an authority signs', ([, body, warning]) => {
  const { warnings } = read(server(body))
  expect(warnings).toEqual([expect.stringContaining(`server.conf:${warning}`)])
})

test('does not warn of a life that just fits', () => {
  expect(read(server('default_x509_svid_ttl = "4h"\nagent_ttl = "4h"')).warnings).toEqual([])
})

/** Keys of blocks that mean something only as a whole have tests of their own. */
const AFTER = serverKeys.filter(({ name }) =>
  /^(?:server\.(?!federation\.)|telemetry\.|health_checks\.)/.test(name),
)
const refused = AFTER.filter(
  ({ status }) => status !== 'implemented' && !status.startsWith('accepted'),
)

/** Defaults that are written without quotes. */
const BARE: ReadonlySet<string> = new Set(['true', 'false', '[]'])

/** `a.b.c` with a value, as nested blocks of one line each. */
function nested(name: string, value: string): string {
  const [key = '', ...rest] = name.split('.')
  return rest.length === 0 ? `${key} = ${value}` : `${key} {\n${nested(rest.join('.'), value)}\n}`
}

test.for(refused)('refuses $name in its place, because it is $status', ({ name, status }) => {
  const text = `${server('')}\n${nested(name, '"something"')}`
  const line = text.split('\n').findIndex((one) => one.includes('"something"')) + 1
  const refusal = refusalOf(() => read(text))
  expect(refusal.split('\n')).toHaveLength(1)
  expect(refusal).toContain(`server.conf:${line}:1: ${name} is ${status}`)
})

test.for(refused)('refuses an empty block for $name, which may switch it on', ({ name }) => {
  const text = `${server('')}\n${nested(name, '{ }')}`
  expect(refusalOf(() => read(text))).toContain(`: ${name} is `)
})

/** A block that means something by being there at all. */
const around = (name: string) =>
  name.startsWith('telemetry.Prometheus.') ? '\ntelemetry { Prometheus { } }' : ''

test.for(refused)('accepts $name when it says what happens anyway', ({ name, fallback }) => {
  const truths = fallback === 'true' ? ['true'] : ['false']
  const texts = fallback === undefined || BARE.has(fallback) ? [] : [`"${fallback}"`]
  for (const value of ['""', '[]', '0', ...truths, ...texts]) {
    expect(read(`${server('')}\n${nested(name, value)}`)).toEqual(read(server('') + around(name)))
  }
})

test.for(refused.filter(({ fallback }) => fallback === 'true'))(
  'refuses false for $name',
  ({ name }) => {
    const text = `${server('')}\n${nested(name, 'false')}`
    expect(refusalOf(() => read(text))).toContain(`${name} is not implemented yet`)
  },
)

test.for(AFTER.filter(({ status }) => status.startsWith('accepted')))(
  'accepts $name, and warns that it has no effect',
  ({ name, fallback }) => {
    const value = fallback === 'false' ? 'true' : `"${fallback}"`
    expect(read(`${server('')}\n${nested(name, value)}`).warnings).toEqual([
      expect.stringContaining(`${name} has no effect`),
    ])
  },
)

const chosen = AFTER.filter(({ status, name }) => status === 'implemented' && name !== 'plugins')

test.for(chosen)('has for $name the default that its table shows', ({ name, fallback }) => {
  if (fallback === undefined || fallback === 'required')
    return expect(read(server(''))).toBeDefined()
  const plainly = BARE.has(fallback)
  const text = `${server('')}\n${nested(name, plainly ? fallback : `"${fallback}"`)}`
  expect(read(text)).toEqual(read(server('') + around(name)))
})

test.for(chosen)('refuses an object for $name', ({ name }) => {
  const required = new RegExp(`^${name.replace('server.', '')} = .*$`, 'm')
  const text = `${server('').replace(required, '')}\n${nested(name, '{ x = 1 }')}`
  expect(refusalOf(() => read(text))).toMatch(
    new RegExp(`^server\\.conf:\\d+:1: ${name} is an object`),
  )
})

const planned = serverKeys.filter(
  ({ name, status }) =>
    name.startsWith('plugins.') && status !== 'implemented' && name.split('.').length === 3,
)

test('knows the plugins of SPIRE', () => {
  expect(planned.length).toBeGreaterThan(12)
})

test.for(planned)('refuses $name by name, because it is $status', ({ name, status }) => {
  const [, type, plugin] = name.split('.')
  const text = server('', `${PLUGINS.replace(/}$/, '')}${type} "${plugin}" { }\n}`)
  expect(refusalOf(() => read(text)).split('\n')).toContainEqual(
    expect.stringContaining(`${name} is ${status}`),
  )
})

test.for(HCL_BODIES)('accepts or refuses %s as SPIRE does', ([, body, verdict]) => {
  const text = server('').replace('server {', `server {\n${body}`)
  if (verdict === 'read') expect(read(text).trustDomain).toBe('example.org')
  else expect(refusalOf(() => read(text))).toMatch(/^server\.conf:\d+:\d+: /)
})

test('throws nothing but CONFIG_INVALID for any piece of a full file', () => {
  const lines = FULL.split('\n')
  const pieces = fc.subarray(lines.concat('}', '{', '[', '"', '= 1', 'x {'), { minLength: 1 })
  fc.assert(
    fc.property(pieces, fc.boolean(), (kept, shuffled) => {
      const text = (shuffled ? kept.toSorted() : kept).join('\n')
      try {
        expect(read(text).trustDomain).toBe('example.org')
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
        expect(error).toHaveProperty('code', 'CONFIG_INVALID')
      }
    }),
    { numRuns: 300 },
  )
})

test('reads a file from disk, and says what to do when there is none', () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-server-config-'))
  try {
    const path = join(dir, 'server.conf')
    writeFileSync(join(dir, 'keys.hcl'), 'keys_path = "/d/keys.json"')
    const keys = `KeyManager "disk" { plugin_data_file = "${join(dir, 'keys.hcl')}" }`
    writeFileSync(path, server('', PLUGINS.replace('KeyManager "memory" { }', keys)))
    expect(loadServerConfig(path, {}, {}).keyManager).toEqual({
      kind: 'disk',
      keysPath: '/d/keys.json',
    })
    expect(refusalOf(() => loadServerConfig(join(dir, 'none.conf'), {}, {}))).toContain('-config')
  } finally {
    rmSync(dir, { recursive: true })
  }
})

const NODE_CA = (await testCa()).certificate

/** A server with x509pop; its CA bundle is the file /ca.pem. */
const withX509Pop = (data: string) => {
  const plugins = `plugins {\n${SQL}\nKeyManager "memory" { }\nNodeAttestor "x509pop" { plugin_data { ${data} } }\n}`
  const files: Record<string, string> = {
    '/ca.pem': toPem('CERTIFICATE', NODE_CA),
    '/empty.pem': '',
    '/broken.pem': toPem('CERTIFICATE', Buffer.from('x')),
    '/key.pem': toPem('PRIVATE KEY', Buffer.from('x')),
  }
  const readText = (path: string) => {
    const text = files[path]
    if (text === undefined) throw new IdentityError('CONFIG_INVALID', `unable to read ${path}`)
    return text
  }
  const text = server('', plugins)
  return readServerConfig({ path: 'server.conf', text, flags: {}, env: {}, readText })
}

test('reads x509pop with the CA bundle and every default', () => {
  expect(withX509Pop('ca_bundle_path = "/ca.pem"').nodeAttestors).toEqual([
    {
      kind: 'x509pop',
      trust: { mode: 'external_pki', caBundle: toPem('CERTIFICATE', NODE_CA) },
      pathTemplate: parseAgentPathTemplate('/{{ .PluginName }}/{{ .Fingerprint }}'),
      maxIntermediates: 4,
      maxRsaBits: 8192,
      verifyClientIp: false,
    },
  ])
})

test('reads every key of x509pop', () => {
  const data = `mode = "spiffe" svid_prefix = "/nodes/" agent_path_template = "/n/{{ .SVIDPathTrimmed }}"
    max_intermediates = 2 max_rsa_key_size = 4096 verify_client_ip = true`
  expect(withX509Pop(data).nodeAttestors).toEqual([
    {
      kind: 'x509pop',
      trust: { mode: 'spiffe', svidPrefix: '/nodes' },
      pathTemplate: parseAgentPathTemplate('/n/{{ .SVIDPathTrimmed }}'),
      maxIntermediates: 2,
      maxRsaBits: 4096,
      verifyClientIp: true,
    },
  ])
  const any = withX509Pop('mode = "spiffe" svid_prefix = ""').nodeAttestors
  expect(any).toMatchObject([{ trust: { svidPrefix: '' } }])
  const asRead = withX509Pop('mode = "spiffe" spiffe_prefix = "/nodes"').nodeAttestors
  expect(asRead).toMatchObject([{ trust: { svidPrefix: '/nodes' } }])
  const left = withX509Pop('mode = "spiffe"').nodeAttestors
  expect(left).toMatchObject([{ trust: { svidPrefix: '/spire-exchange' } }])
  const two = withX509Pop('ca_bundle_paths = ["/ca.pem", "/ca.pem"]').nodeAttestors
  expect(two).toMatchObject([
    { trust: { caBundle: [NODE_CA, NODE_CA].map((ca) => toPem('CERTIFICATE', ca)).join('\n') } },
  ])
})

test.for([
  ['', 'x509pop has no CA (expected ca_bundle_path, ca_bundle_paths, or mode spiffe)'],
  ['ca_bundle_paths = []', 'x509pop has no CA'],
  ['ca_bundle_path = "/nope"', 'ca_bundle_path: unable to read /nope'],
  ['ca_bundle_path = "/empty.pem"', 'ca_bundle_path: malformed PEM: it has no block "CERTIFICATE"'],
  ['ca_bundle_path = "/broken.pem"', 'ca_bundle_path: malformed DER'],
  ['ca_bundle_path = "/key.pem"', 'it has a block "PRIVATE KEY", expected "CERTIFICATE"'],
  [
    'ca_bundle_path = "/ca.pem" ca_bundle_paths = ["/ca.pem"]',
    'ca_bundle_path and ca_bundle_paths exclude each other (expected one of them)',
  ],
  ['mode = "spiffe" ca_bundle_path = "/ca.pem"', 'ca_bundle_path has no meaning with mode spiffe'],
  ['mode = "tofu"', 'mode is "tofu" (expected one of external_pki, spiffe)'],
  ['mode = "spiffe" svid_prefix = "nodes"', 'svid_prefix does not begin with a slash'],
  ['mode = "spiffe" spiffe_prefix = "nodes"', 'spiffe_prefix does not begin with a slash'],
  [
    'mode = "spiffe" svid_prefix = "/a" spiffe_prefix = "/a"',
    'svid_prefix and spiffe_prefix are two names of one key (expected one of them)',
  ],
  ['ca_bundle_path = "/ca.pem" max_intermediates = -1', 'max_intermediates is -1'],
  ['ca_bundle_path = "/ca.pem" max_intermediates = 9', 'max_intermediates is 9'],
  ['ca_bundle_path = "/ca.pem" max_rsa_key_size = 1024', 'max_rsa_key_size is 1024'],
  ['ca_bundle_path = "/ca.pem" max_rsa_key_size = 16384', 'max_rsa_key_size is 16384'],
  [
    'ca_bundle_path = "/ca.pem" agent_path_template = "/{{ .Foo }}"',
    'agent_path_template: not a path template: {{ .Foo }} is not implemented',
  ],
  [
    'ca_bundle_path = "/ca.pem" agent_path_template = "/{{ .SVIDPathTrimmed }}"',
    'agent_path_template has .SVIDPathTrimmed, which is there with mode spiffe only',
  ],
  ['ca_bundle_path = "/ca.pem" bogus = 1', 'unknown key "bogus"'],
] as const)('refuses x509pop with %j', ([data, message]) => {
  expect(refusalOf(() => withX509Pop(data))).toContain(message)
})

const blocks = (text: string) => read(`${server('')}\n${text}`)

testSharedBlocks(blocks)

test('keeps an audit log only where the file says so', () => {
  expect(read(server('')).hasAuditLog).toBe(false)
  expect(read(server('audit_log_enabled = true')).hasAuditLog).toBe(true)
})

test('prunes nodes only when it is told after how long, and says so of keys that would do nothing', () => {
  const idle = read(server('prune_tofu_nodes = true\nprune_attested_nodes_batch_size = 5'))
  expect(idle.pruneNodes).toBeUndefined()
  expect(idle.warnings).toEqual([
    'server.conf:4:1: prune_tofu_nodes has no effect without prune_attested_nodes_expired_for',
  ])
  expect(read(server('prune_attested_nodes_expired_for = "1h"')).pruneNodes).toEqual({
    expiredForSeconds: 3600,
    includeNonReattestable: false,
    most: 1000,
  })
})

test.for([
  ['a bare address', '["10.0.0.1"]', 'item 0 is no range of addresses'],
  ['a prefix that is too long', '["10.0.0.0/8", "10.0.0.0/33"]', 'item 1 is no range of addresses'],
  ['an IPv6 prefix that is too long', '["fd00::/129"]', 'item 0 is no range of addresses'],
  ['a name', '["localhost/8"]', 'item 0 is no range of addresses'],
  ['nothing', '[""]', 'item 0 is no range of addresses'],
  ['a number', '[8]', 'item 0 is no range of addresses'],
  ['no list', '"10.0.0.0/8"', 'is a string'],
] as const)('refuses to believe the PROXY headers of %s', ([, written, message]) => {
  expect(refusalOf(() => read(server(`proxy_protocol_trusted_cidrs = ${written}`)))).toBe(
    `server.conf:4:1: server.proxy_protocol_trusted_cidrs ${message} (expected a list of ranges of addresses)`,
  )
})

test('says why a feature, a policy engine and a profile of Go are not to be had', () => {
  const body = `profiling_enabled = true
experimental {
feature_flags = ["wit-svid"]
auth_opa_policy_engine { local { rego_path = "/p" } }
}`
  expect(refusalOf(() => read(server(body))).split('\n')).toEqual([
    expect.stringMatching(/^server.conf:4:1: server.profiling_enabled is for the Go runtime/),
    expect.stringMatching(
      /^server.conf:6:1: server.experimental.feature_flags is refused: wit-svid/,
    ),
    expect.stringMatching(
      /^server.conf:7:1: server.experimental.auth_opa_policy_engine is not offered: .*admin_ids/,
    ),
  ])
})

const publisher = (name: string, data: string) =>
  server('', PLUGINS.replace(/\}$/, `BundlePublisher "${name}" { plugin_data { ${data} } }\n}`))
const S3 = 'region = "eu-1" bucket = "bundles" object_key = "example.org" format = "jwks"'

test('reads where the bundle is published, with the keys of the file or of the environment', () => {
  const file = 'path = "/srv/bundle.json" format = "spiffe" refresh_hint = "5m"'
  expect(read(publisher('file', file)).publishers).toEqual([
    { kind: 'file', path: '/srv/bundle.json', format: 'spiffe', refreshHintSeconds: 300 },
  ])
  const env = { AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 'KEY', AWS_SESSION_TOKEN: 'T' }
  expect(read(publisher('aws_s3', S3), { env }).publishers).toMatchObject([
    { kind: 'aws_s3', accessKeyId: 'ID', secretAccessKey: 'KEY', sessionToken: 'T' },
  ])
  const own = `${S3} access_key_id = "own" secret_access_key = "key" endpoint = "https://s3.invalid"`
  expect(read(publisher('aws_s3', own), { env }).publishers).toMatchObject([
    { accessKeyId: 'own', sessionToken: undefined, endpoint: 'https://s3.invalid' },
  ])
})

test.for([
  ['file', 'format = "pem"', 'path'],
  ['file', 'path = "/b" format = "der"', 'format'],
  ['aws_s3', S3, 'has no access key'],
  ['aws_s3', `${S3} access_key_id = "alone"`, 'access_key_id is alone'],
  ['aws_s3', `${S3} access_key_id = "a" secret_access_key = "b" endpoint = "ftp://x"`, 'endpoint'],
  ['aws_s3', S3.replace('eu-1', 'evil.invalid/x'), 'region'],
  ['azure_blob', '', 'azure_blob'],
] as const)('refuses to publish by %s with %s', ([name, data, word]) => {
  expect(() => read(publisher(name, data))).toThrow(word)
})
