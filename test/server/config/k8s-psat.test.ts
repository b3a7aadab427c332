import { expect, test } from 'vitest'
import { readServerConfig, type ServerConfig } from '../../../server/config.ts'
import { IdentityError } from '../../../spiffe/error.ts'

function read(data: string): ServerConfig {
  const text = `server { trust_domain = "example.org" data_dir = "/d" }
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "/d/x.db" } }
  KeyManager "memory" {}
  NodeAttestor "k8s_psat" { plugin_data {
${data}
  } }
}`
  return readServerConfig({
    ...{ path: 'server.conf', text, env: {}, flags: {} },
    readText: (path) => {
      if (path === '/kubeconfig') return ''
      throw new IdentityError('CONFIG_INVALID', `unable to read ${path}`)
    },
  })
}

const ALLOWED = 'service_account_allow_list = ["spire:agent"]'
const defaults = {
  name: 'main',
  serviceAccounts: ['spire:agent'],
  audiences: ['spire-server'],
  kubeconfig: undefined,
  allowedNodeLabelKeys: [],
  allowedPodLabelKeys: [],
  usesPodUid: false,
}

test('reads a cluster with every default', () => {
  const { nodeAttestors, warnings } = read(`clusters = { "main" = { ${ALLOWED} } }`)
  expect(nodeAttestors).toEqual([{ kind: 'k8s_psat', clusters: [defaults] }])
  expect(warnings).toEqual([])
})

test('reads every key of several clusters, written as a map or as blocks', () => {
  const full = `${ALLOWED}
    audience = ["a", "b"]
    kube_config_file = "/kubeconfig"
    allowed_node_label_keys = ["zone"]
    allowed_pod_label_keys = ["app"]
    use_pod_uid_for_agent_id = true`
  const { nodeAttestors } = read(`clusters { "main" { ${ALLOWED} } "pods.eu-1/a_b" = { ${full} } }`)
  const other = {
    name: 'pods.eu-1/a_b',
    serviceAccounts: ['spire:agent'],
    audiences: ['a', 'b'],
    kubeconfig: '/kubeconfig',
    allowedNodeLabelKeys: ['zone'],
    allowedPodLabelKeys: ['app'],
    usesPodUid: true,
  }
  expect(nodeAttestors).toEqual([{ kind: 'k8s_psat', clusters: [defaults, other] }])
})

test('an empty audience means the API server itself', () => {
  const { nodeAttestors } = read(`clusters = { "main" = { ${ALLOWED} audience = [] } }`)
  expect(nodeAttestors).toMatchObject([{ clusters: [{ audiences: [] }] }])
})

test.for([
  ['', 'No clusters configured, PSAT attestation is effectively disabled'],
  ['clusters = {}', 'No clusters configured, PSAT attestation is effectively disabled'],
  [
    `clusters = { "main" = { ${ALLOWED} kube_config_file = "/later" } }`,
    'server.conf:6:70: unable to read /later',
  ],
  [
    'clusters = { "main" = { service_account_allow_list = ["spire:agent", "agent"] } }',
    '"agent" allows nobody: a service account is written namespace:name',
  ],
] as const)('warns of %j, and takes it as SPIRE does', ([data, warning]) => {
  expect(read(data).warnings).toEqual([expect.stringContaining(warning)])
})

test.for([
  [
    'clusters = { "main" = {} }',
    'server.conf:6:14: cluster "main" configuration must have at least one service account allowed',
  ],
  [
    'clusters = { "main" = { service_account_allow_list = [] } }',
    'cluster "main" configuration must have at least one service account allowed',
  ],
  [
    `clusters = { "my cluster" = { ${ALLOWED} } }`,
    'cluster "my cluster" cannot be part of agent IDs: not a SPIFFE ID',
  ],
  [
    `clusters = { "../server" = { ${ALLOWED} } }`,
    'cluster "../server" cannot be part of agent IDs',
  ],
  [`clusters = { "" = { ${ALLOWED} } }`, 'cluster "" cannot be part of agent IDs'],
  [
    `clusters = { "main" = { ${ALLOWED} } "main" = { ${ALLOWED} } }`,
    'clusters.main is written more than once',
  ],
  ['clusters = "main"', 'clusters is a string (expected an object)'],
  ['clusters = { "main" = "spire:agent" }', 'clusters.main is a string (expected an object)'],
  [`clusters = { "main" = { ${ALLOWED} audience = "x" } }`, 'audience is a string'],
  [`clusters = { "main" = { ${ALLOWED} audience = [""] } }`, 'audience has an empty item 0'],
  [`clusters = { "main" = { ${ALLOWED} token = "x" } }`, 'unknown key "token"'],
  [
    `clusters = { "main" = { service_account_whitelist = ["a:b"] } }`,
    'unknown key "service_account_whitelist"',
  ],
  [`cluster = { "main" = { ${ALLOWED} } }`, 'unknown key "cluster"'],
] as const)('refuses %j', ([data, message]) => {
  expect(() => read(data)).toThrow(message)
})
