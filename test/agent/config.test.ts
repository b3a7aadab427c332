/** agent.conf: what is read, what is refused, and that no key of SPIRE's is ignored. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { agentKeys } from '../../agent/config/keys.ts'
import { type AgentFlags, loadAgentConfig, readAgentConfig } from '../../agent/config.ts'
import { NO_RATES } from '../../agent/workload-api/rate-limit.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { testSharedBlocks } from '../config/shared-blocks.ts'
import { refusalOf } from '../config/trees.ts'

interface Options {
  readonly path?: string
  readonly flags?: AgentFlags
  readonly env?: Record<string, string>
  readonly files?: Record<string, string>
}

function read(
  text: string,
  { path = 'agent.conf', flags = {}, env = {}, files = {} }: Options = {},
) {
  const readText = (name: string) => {
    const content = Object.hasOwn(files, name) ? files[name] : undefined
    if (content === undefined) throw new IdentityError('CONFIG_INVALID', `unable to read ${name}`)
    return content
  }
  return readAgentConfig({ path, text, flags, env, readText })
}

const PLUGINS =
  'plugins {\nKeyManager "memory" { }\nNodeAttestor "join_token" { }\nWorkloadAttestor "unix" { }\n}'

/** The smallest file but for its way to trust the server, with `body` from line 5 on. */
const agent = (body: string, plugins = PLUGINS) =>
  `agent {\ntrust_domain = "example.org"\nserver_address = "server"\nserver_port = 8081\n${body}\n}\n${plugins}`

const INSECURE = 'insecure_bootstrap = true'
const trusting = (body: string, plugins = PLUGINS) => agent(`${INSECURE}\n${body}`, plugins)

test('reads the smallest file, with every default', () => {
  expect(read(agent('trust_bundle_path = "/b.pem"'))).toEqual({
    adminSocketPath: undefined,
    allowUnauthenticatedVerifiers: false,
    allowedForeignJwtClaims: [],
    authorizedDelegates: [],
    availabilityTargetSeconds: undefined,
    bootstrap: { kind: 'file', path: '/b.pem', format: 'pem' },
    dataDir: '.',
    disableWorkloadApi: false,
    health: undefined,
    joinToken: undefined,
    jwtSvidCacheHitTimeoutMs: undefined,
    jwtSvidCacheMaxSize: 1000,
    keyManager: { kind: 'memory' },
    log: { level: 'INFO', format: 'text', file: undefined, hasSource: false },
    logSelectors: [],
    nodeAttestor: { kind: 'join_token' },
    rebootstrap: { mode: 'never', delayMs: 600_000 },
    requirePqKem: false,
    sds: {
      defaultSvidName: 'default',
      defaultBundleName: 'ROOTCA',
      defaultAllBundlesName: 'ALL',
      disableSpiffeCertValidation: false,
    },
    serverAddress: 'server',
    serverPort: 8081,
    otherServers: [],
    socketPath: '/tmp/spire-agent/public/api.sock',
    syncIntervalMs: 5000,
    telemetry: undefined,
    trustDomain: 'example.org',
    usesSyncEntries: true,
    warnings: [],
    workloadAttestors: [{ kind: 'unix', discoverWorkloadPath: false, workloadSizeLimitBytes: 0 }],
    workloadKeyType: 'ec-p256',
    workloadRates: NO_RATES,
    x509SvidCacheMaxSize: 1000,
  })
})

const FULL = `
# A whole agent.
agent {
    allow_unauthenticated_verifiers = true
    allowed_foreign_jwt_claims = ["tenant", "scope"]
    availability_target = "48h"
    data_dir = "/var/lib/steeple"
    disable_sds_api = true
    disable_workload_api = false
    insecure_bootstrap = false
    join_token = "a-token"
    jwt_svid_cache_max_size = 50
    log_file = "/var/log/agent.log"
    log_format = "text"
    log_level = "DEBUG"
    log_selectors = []
    log_source_location = false
    rebootstrap_delay = "5m"
    rebootstrap_mode = "auto"
    sds = { default_svid_name = "default" }
    server_address = "[fd00::1]"
    server_port = "8443"
    socket_path = "/run/steeple/agent.sock"
    trust_bundle_format = "spiffe"
    trust_bundle_path = ""
    trust_bundle_url = "https://server.example.org/bundle?x=1"
    trust_domain = "example.org"
    workload_x509_svid_key_type = "RSA-2048"
    x509_svid_cache_max_size = 0
    experimental {
        sync_interval = "500ms"
        require_pq_kem = true
        use_sync_authorized_entries = false
    }
}

plugins {
    KeyManager "disk" { plugin_data { directory = "/var/lib/steeple" } }
    NodeAttestor "join_token" { plugin_data {} }
    NodeAttestor "k8s_psat" { enabled = false plugin_data { cluster = "c" } }
    WorkloadAttestor "unix" {
        plugin_data {
            discover_workload_path = true
            workload_size_limit = -1
        }
    }
}
`

test('reads a full file', () => {
  expect(read(FULL)).toEqual({
    adminSocketPath: undefined,
    allowUnauthenticatedVerifiers: true,
    allowedForeignJwtClaims: ['tenant', 'scope'],
    authorizedDelegates: [],
    availabilityTargetSeconds: 172_800,
    bootstrap: { kind: 'url', url: 'https://server.example.org/bundle?x=1', format: 'spiffe' },
    dataDir: '/var/lib/steeple',
    disableWorkloadApi: false,
    health: undefined,
    joinToken: 'a-token',
    jwtSvidCacheHitTimeoutMs: undefined,
    jwtSvidCacheMaxSize: 50,
    keyManager: { kind: 'disk', directory: '/var/lib/steeple' },
    log: { level: 'DEBUG', format: 'text', file: '/var/log/agent.log', hasSource: false },
    logSelectors: [],
    nodeAttestor: { kind: 'join_token' },
    rebootstrap: { mode: 'auto', delayMs: 300_000 },
    requirePqKem: true,
    sds: undefined,
    serverAddress: 'fd00::1',
    serverPort: 8443,
    otherServers: [],
    socketPath: '/run/steeple/agent.sock',
    syncIntervalMs: 500,
    telemetry: undefined,
    trustDomain: 'example.org',
    usesSyncEntries: false,
    warnings: [],
    workloadAttestors: [{ kind: 'unix', discoverWorkloadPath: true, workloadSizeLimitBytes: -1 }],
    workloadKeyType: 'rsa-2048',
    workloadRates: NO_RATES,
    x509SvidCacheMaxSize: 1000,
  })
})

test('reads the same from YAML and from JSON', () => {
  const tree = {
    agent: {
      trust_domain: 'example.org',
      server_address: 'server',
      server_port: 8081,
      insecure_bootstrap: true,
    },
    plugins: {
      KeyManager: { memory: {} },
      NodeAttestor: { join_token: null },
      WorkloadAttestor: [{ unix: {} }],
    },
  }
  const expected = read(trusting(''))
  for (const path of ['agent.json', 'agent.yaml', 'agent.conf']) {
    expect(read(JSON.stringify(tree), { path })).toEqual(expected)
  }
})

test('lets flags override the file', () => {
  const flags: AgentFlags = {
    allowUnauthenticatedVerifiers: false,
    dataDir: '/flag',
    disableSdsApi: true,
    insecureBootstrap: false,
    joinToken: 'flag-token',
    logFile: '/flag.log',
    logFormat: 'json',
    logLevel: 'warn',
    logSourceLocation: true,
    rebootstrapDelay: '90s',
    rebootstrapMode: 'always',
    serverAddress: '192.0.2.1',
    serverPort: 1234,
    socketPath: '/flag.sock',
    trustBundleFormat: 'pem',
    trustBundleUrl: 'https://flag.example',
    trustDomain: 'flag.example',
  }
  expect(read(FULL, { flags })).toMatchObject({
    allowUnauthenticatedVerifiers: false,
    bootstrap: { kind: 'url', url: 'https://flag.example', format: 'pem' },
    dataDir: '/flag',
    health: undefined,
    joinToken: 'flag-token',
    log: { level: 'WARN', format: 'json', file: '/flag.log', hasSource: true },
    rebootstrap: { mode: 'always', delayMs: 90_000 },
    serverAddress: '192.0.2.1',
    serverPort: 1234,
    socketPath: '/flag.sock',
    trustDomain: 'flag.example',
  })
  expect(read(agent(''), { flags: { insecureBootstrap: true } }).bootstrap.kind).toBe('insecure')
  expect(read(agent(''), { flags: { trustBundle: '/b' } }).bootstrap).toMatchObject({ path: '/b' })
  const files = { '/token': ' a-file-token\n' }
  expect(read(trusting(''), { files, flags: { joinTokenFile: '/token' } }).joinToken).toBe(
    'a-file-token',
  )
})

test.for([
  ['-rebootstrapMode', { rebootstrapMode: 'sometimes' }, 'agent.rebootstrap_mode is "sometimes"'],
  ['-rebootstrapDelay', { rebootstrapDelay: 'soon' }, 'agent.rebootstrap_delay is'],
  ['-serverPort', { serverPort: 70_000 }, 'agent.server_port is 70000'],
  [
    '-trustBundleUrl',
    { trustBundleUrl: 'https://x', insecureBootstrap: true },
    'exclude each other',
  ],
] as const)('refuses a wrong %s', ([flag, flags, message]) => {
  const body = 'trustBundleUrl' in flags ? agent('') : trusting('')
  const refusal = refusalOf(() => read(body, { flags }))
  expect(refusal).toContain(message)
  expect(refusal).toMatch(/^-[A-Za-z]+: /)
  expect(refusal.startsWith(flag.split('=')[0] ?? '') || flag === '-trustBundleUrl').toBe(true)
})

test('expands the environment only when the flag asks for it', () => {
  const text = trusting('join_token = "$TOKEN"')
  const env = { TOKEN: 'abc' }
  expect(read(text, { env }).joinToken).toBe('$TOKEN')
  expect(read(text, { env, flags: { expandEnv: true } }).joinToken).toBe('abc')
})

test('tells everything that an empty file lacks', () => {
  expect(refusalOf(() => read('')).split('\n')).toEqual([
    'agent.conf:1:1: agent.server_address is missing (expected an IP address or a DNS name, or up to 32 of them with commas between, each perhaps with its port)',
    'agent.conf:1:1: agent.server_port is missing (expected a port from 1 to 65535)',
    'agent.conf:1:1: agent.trust_domain is missing (expected the name of a trust domain, such as example.org)',
    'agent.conf:1:1: agent has no way to trust the server at first (expected trust_bundle_path, trust_bundle_url, trust_bundle_spiffe_workload_api or insecure_bootstrap)',
    'agent.conf:1:1: 0 plugins are enabled in plugins.KeyManager (expected exactly 1 of memory, disk)',
    'agent.conf:1:1: 0 plugins are enabled in plugins.NodeAttestor (expected exactly 1 of join_token, k8s_psat, x509pop)',
    'agent.conf:1:1: 0 plugins are enabled in plugins.WorkloadAttestor (expected at least 1 of docker, k8s, systemd, unix)',
  ])
})

const PATH = 'trust_bundle_path = "/b"'

test.for([
  ['no way to trust the server', '', '1:1: agent has no way to trust the server at first'],
  [
    'no way but one that is switched off',
    'insecure_bootstrap = false',
    'agent.conf:1:1: agent has no way',
  ],
  [
    'a bundle and blind trust',
    `${PATH}\n${INSECURE}`,
    '6:1: agent.trust_bundle_path and agent.insecure_bootstrap exclude each other',
  ],
  [
    'a URL and blind trust',
    `trust_bundle_url = "https://a"\n${INSECURE}`,
    'agent.trust_bundle_url and agent.insecure_bootstrap exclude each other',
  ],
  [
    'two bundles',
    `${PATH}\ntrust_bundle_url = "https://a"`,
    '6:1: agent.trust_bundle_path and agent.trust_bundle_url exclude each other',
  ],
  ['three ways', `${PATH}\ntrust_bundle_url = "https://a"\n${INSECURE}`, 'exclude each other'],
  [
    'a URL without encryption',
    'trust_bundle_url = "http://s3cr3t@a"',
    '5:1: agent.trust_bundle_url is no https URL (expected https:// and a host)',
  ],
  [
    'a URL of a file',
    'trust_bundle_url = "file:///b"',
    '5:1: agent.trust_bundle_url is no https URL',
  ],
  [
    'a URL without a host',
    'trust_bundle_url = "https://"',
    '5:1: agent.trust_bundle_url is no https URL',
  ],
  ['a path for a URL', 'trust_bundle_url = "/b"', '5:1: agent.trust_bundle_url is no https URL'],
  [
    'a form that nobody reads',
    `${PATH}\ntrust_bundle_format = "jwks"`,
    '6:1: agent.trust_bundle_format is "jwks" (expected one of pem, spiffe)',
  ],
  [
    'two tokens',
    `${INSECURE}\njoin_token = "s3cr3t"\njoin_token_file = "/token"`,
    '7:1: agent.join_token and agent.join_token_file exclude each other',
  ],
  [
    'a token that is a list',
    `${INSECURE}\njoin_token = ["s3cr3t"]`,
    '6:1: agent.join_token is a list (expected a token)',
  ],
  [
    'a token file that is not there',
    `${INSECURE}\njoin_token_file = "/none"`,
    '6:1: agent.join_token_file: unable to read /none',
  ],
  [
    'an empty token file',
    `${INSECURE}\njoin_token_file = "/empty"`,
    '6:1: agent.join_token_file names an empty file',
  ],
  [
    'a key type for authorities alone',
    `${INSECURE}\nworkload_x509_svid_key_type = "rsa-4096"`,
    '6:1: agent.workload_x509_svid_key_type is "rsa-4096" (expected one of ec-p256, ec-p384, rsa-2048)',
  ],
  [
    'a short outage',
    `${INSECURE}\navailability_target = "23h"`,
    '6:1: agent.availability_target is "23h" (expected a duration of 24h or more)',
  ],
  [
    'a negative cache',
    `${INSECURE}\nx509_svid_cache_max_size = -1`,
    '6:1: agent.x509_svid_cache_max_size is -1 (expected a number above zero)',
  ],
  [
    'a negative interval',
    `${INSECURE}\nexperimental { sync_interval = "-5s" }`,
    '6:16: agent.experimental.sync_interval is "-5s"',
  ],
  [
    'a resource name that is none',
    `${INSECURE}\nsds { default_svid_name = ["default"] }`,
    '6:7: agent.sds.default_svid_name is a list (expected a resource name)',
  ],
  [
    'a port of zero',
    `${INSECURE}\nserver_port = 0`,
    '6:1: agent.server_port is written more than once',
  ],
  [
    'a Windows pipe',
    `${INSECURE}\nexperimental { named_pipe_name = "x" }`,
    '6:16: agent.experimental.named_pipe_name is for Windows only; use agent.socket_path',
  ],
] as const)('refuses %s', ([, body, message]) => {
  const refusal = refusalOf(() => read(agent(body), { files: { '/empty': ' \n', '/token': 'x' } }))
  expect(refusal.split('\n')).toHaveLength(1)
  expect(refusal).toContain(message)
  expect(refusal).not.toContain('s3cr3t')
})

const PLUGIN_LINES = PLUGINS.split('\n')

test.for([
  ['a key manager', 'KeyManager', 'exactly 1 of memory, disk'],
  ['a node attestor', 'NodeAttestor', 'exactly 1 of join_token, k8s_psat, x509pop'],
  ['a workload attestor', 'WorkloadAttestor', 'at least 1 of docker, k8s, systemd, unix'],
] as const)('refuses an agent without %s', ([, type, expected]) => {
  const plugins = PLUGIN_LINES.filter((line) => !line.startsWith(type)).join('\n')
  expect(refusalOf(() => read(trusting('', plugins)))).toBe(
    `agent.conf:8:1: 0 plugins are enabled in plugins.${type} (expected ${expected})`,
  )
})

test('refuses two key managers, and a disk without its directory', () => {
  const both = PLUGINS.replace(
    'plugins {',
    'plugins {\nKeyManager "disk" { plugin_data { directory = "/d" } }',
  )
  expect(refusalOf(() => read(trusting('', both)))).toContain(
    '2 plugins are enabled in plugins.KeyManager',
  )
  const disk = PLUGINS.replace('"memory"', '"disk"')
  expect(refusalOf(() => read(trusting('', disk)))).toContain(
    'plugins.KeyManager.disk.directory is missing',
  )
})

const AFTER = agentKeys.filter(({ name }) => !name.startsWith('plugins'))
const refused = AFTER.filter(({ status }) => !/^(implemented|only|accepted)/.test(status))

/** Defaults that are written without quotes. */
const BARE: ReadonlySet<string> = new Set(['true', 'false', '[]'])

/** `a.b.c` with a value, as nested blocks of one line each. */
function nested(name: string, value: string): string {
  const [key = '', ...rest] = name.split('.')
  return rest.length === 0 ? `${key} = ${value}` : `${key} {\n${nested(rest.join('.'), value)}\n}`
}

test.for(refused)('refuses $name in its place, because it is $status', ({ name, status }) => {
  const text = `${trusting('')}\n${nested(name, '"something"')}`
  const line = text.split('\n').findIndex((one) => one.includes('"something"')) + 1
  const refusal = refusalOf(() => read(text))
  expect(refusal.split('\n')).toHaveLength(1)
  expect(refusal).toContain(`agent.conf:${line}:1: ${name} is ${status}`)
})

test.for(refused)('refuses an empty block for $name, which may switch it on', ({ name }) => {
  const text = `${trusting('')}\n${nested(name, '{ }')}`
  expect(refusalOf(() => read(text))).toContain(`: ${name} is `)
})

/** A block that means something by being there at all. */
const around = (name: string) =>
  name.startsWith('telemetry.Prometheus.') ? '\ntelemetry { Prometheus { } }' : ''

test.for(refused)('accepts $name when it says what happens anyway', ({ name, fallback }) => {
  const truths = fallback === 'true' ? ['true'] : ['false']
  const texts = fallback === undefined || BARE.has(fallback) ? [] : [`"${fallback}"`]
  for (const value of ['""', '[]', '0', ...truths, ...texts]) {
    expect(read(`${trusting('')}\n${nested(name, value)}`)).toEqual(
      read(trusting('') + around(name)),
    )
  }
})

test.for(refused.filter(({ fallback }) => fallback === 'true'))(
  'refuses false for $name',
  ({ name }) => {
    const text = `${trusting('')}\n${nested(name, 'false')}`
    expect(refusalOf(() => read(text))).toContain(`${name} is not implemented yet`)
  },
)

/** Keys of the items of a list, which have a test of their own. */
const isOfItem = (name: string) => name.startsWith('agent.experimental.broker.brokers.')

const chosen = AFTER.filter(
  ({ status, name }) => status === 'implemented' && name !== 'plugins' && !isOfItem(name),
)

test.for(chosen)('has for $name the default that its table shows', ({ name, fallback }) => {
  if (fallback === undefined || fallback === 'required')
    return expect(read(trusting(''))).toBeDefined()
  const plainly = BARE.has(fallback)
  const base = agent(name.endsWith('insecure_bootstrap') ? PATH : INSECURE)
  const text = `${base}\n${nested(name, plainly ? fallback : `"${fallback}"`)}`
  expect(read(text)).toEqual(read(base + around(name)))
})

test.for(chosen)('refuses an object for $name', ({ name }) => {
  const required = new RegExp(`^${name.replace('agent.', '')} = .*$`, 'm')
  const text = `${agent(PATH).replace(required, '')}\n${nested(name, '{ x = 1 }')}`
  expect(refusalOf(() => read(text))).toMatch(
    new RegExp(`^agent\\.conf:\\d+:1: ${name} is an object`, 'm'),
  )
})

const planned = agentKeys.filter(
  ({ name, status }) =>
    name.startsWith('plugins.') && status !== 'implemented' && name.split('.').length === 3,
)

test('knows the plugins of SPIRE', () => {
  expect(planned.length).toBeGreaterThan(8)
})

test.for(planned)('refuses $name by name, because it is $status', ({ name, status }) => {
  const [, type, plugin] = name.split('.')
  const text = trusting('', `${PLUGINS.replace(/}$/, '')}${type} "${plugin}" { }\n}`)
  expect(refusalOf(() => read(text)).split('\n')).toContainEqual(
    expect.stringContaining(`${name} is ${status}`),
  )
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
        expect(error).toHaveProperty('message', expect.not.stringContaining('a-token'))
      }
    }),
    { numRuns: 300 },
  )
})

test('reads a file from disk, and says what to do when there is none', () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-agent-config-'))
  try {
    const path = join(dir, 'agent.conf')
    writeFileSync(join(dir, 'token'), 'from-disk\n')
    writeFileSync(path, trusting(`join_token_file = "${join(dir, 'token')}"`))
    expect(loadAgentConfig(path, {}, {}).joinToken).toBe('from-disk')
    expect(refusalOf(() => loadAgentConfig(join(dir, 'none.conf'), {}, {}))).toContain('-config')
  } finally {
    rmSync(dir, { recursive: true })
  }
})

const X509POP = (data: string) =>
  PLUGINS.replace(
    'NodeAttestor "join_token" { }',
    `NodeAttestor "x509pop" { plugin_data { ${data} } }`,
  )
const NODE_FILES = 'certificate_path = "/c" private_key_path = "/k"'

test('reads x509pop with its files', () => {
  expect(read(trusting('', X509POP(NODE_FILES))).nodeAttestor).toEqual({
    kind: 'x509pop',
    certificatePath: '/c',
    intermediatesPath: undefined,
    privateKeyPath: '/k',
  })
  const more = X509POP(`${NODE_FILES} intermediates_path = "/i"`)
  expect(read(trusting('', more)).nodeAttestor).toMatchObject({ intermediatesPath: '/i' })
})

test.for([
  ['certificate_path = "/c"', 'private_key_path is missing'],
  ['private_key_path = "/k"', 'certificate_path is missing'],
  [`${NODE_FILES} spiffe_endpoint_socket = "/s"`, 'spiffe_endpoint_socket is not implemented yet'],
  [`${NODE_FILES} ca_bundle_path = "/s"`, 'unknown key "ca_bundle_path"'],
] as const)('refuses x509pop with %s', ([data, message]) => {
  expect(refusalOf(() => read(trusting('', X509POP(data))))).toContain(message)
})

const blocks = (text: string) => read(`${trusting('')}\n${text}`)

testSharedBlocks(blocks)

const SOCKET = 'trust_bundle_unix_socket = "/run/bundle.sock"'

test.for([
  [
    'a Unix socket',
    `${SOCKET}\ntrust_bundle_url = "http://localhost/bundle?x=1"`,
    {
      kind: 'socket-url',
      url: 'http://localhost/bundle?x=1',
      socketPath: '/run/bundle.sock',
      format: 'pem',
    },
  ],
  [
    'a Workload API',
    'trust_bundle_spiffe_workload_api = "unix:///run/agent.sock"',
    { kind: 'workload-api', address: 'unix:/run/agent.sock' },
  ],
] as const)('the first bundle may come from %s', ([, body, bootstrap]) => {
  expect(read(agent(body)).bootstrap).toEqual(bootstrap)
})

test.for([
  [
    `${SOCKET}\n${INSECURE}`,
    'agent.trust_bundle_unix_socket is set without agent.trust_bundle_url',
  ],
  [`${SOCKET}\ntrust_bundle_url = "https://x/b"`, 'agent.trust_bundle_url is no http URL'],
  [
    `${SOCKET}\ntrust_bundle_url = "http://x/b?spire-attest-mode=x"`,
    'agent.trust_bundle_url has the parameter spire-attest-mode, which the agent sets',
  ],
  [
    `${SOCKET}\ntrust_bundle_url = "http://x/b?spiffe-x=1"`,
    'agent.trust_bundle_url has the parameter spiffe-x',
  ],
  ['trust_bundle_url = "http://x/b"', 'agent.trust_bundle_url is no https URL'],
  [
    'trust_bundle_spiffe_workload_api = "/run/agent.sock"',
    'trust_bundle_spiffe_workload_api is "/run/agent.sock": it has no scheme',
  ],
  [
    `trust_bundle_spiffe_workload_api = "unix:///run/agent.sock"\n${INSECURE}`,
    'agent.trust_bundle_spiffe_workload_api and agent.insecure_bootstrap exclude each other',
  ],
  [
    'trust_bundle_spiffe_workload_api = "unix:///run/agent.sock"\ntrust_bundle_path = "/b"',
    'agent.trust_bundle_path and agent.trust_bundle_spiffe_workload_api exclude each other',
  ],
  [
    `rebootstrap_mode = "auto"\n${INSECURE}`,
    'agent.rebootstrap_mode and agent.insecure_bootstrap exclude each other',
  ],
] as const)('refuses to begin to trust with %s', ([body, message]) => {
  expect(refusalOf(() => read(agent(body)))).toContain(message)
})
