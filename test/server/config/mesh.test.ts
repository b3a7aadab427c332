import { expect, test } from 'vitest'
import { readServerConfig } from '../../../server/config.ts'

const read = (mesh: string, server = '') =>
  readServerConfig({
    path: 'server.conf',
    text: `server { trust_domain = "example.org"  data_dir = "/d"  ${server} }
      plugins {
        DataStore "sql" { plugin_data { database_type = "sqlite3"  connection_string = "/d/s" } }
        KeyManager "memory" { plugin_data {} }
      }
      ${mesh}`,
    flags: {},
    env: {},
    readText: (path) => {
      throw new Error(`nothing is to be read, but ${path} was`)
    },
  })

const istio = (keys: string) => read(`mesh { istio_ca { ${keys} } }`).mesh.istioCa

test('without a mesh block, nothing is served to meshes', () => {
  expect(read('').mesh).toEqual({ istioCa: undefined, linkerd: undefined })
  expect(read('mesh {}').mesh).toEqual({ istioCa: undefined, linkerd: undefined })
})

test('an Istio CA needs nothing but its clusters', () => {
  expect(istio('clusters = { "Kubernetes" = {} }')).toEqual({
    ...{ bindAddress: '0.0.0.0', bindPort: 15012, dnsNames: ['istiod.istio-system.svc'] },
    clusters: [{ name: 'Kubernetes', kubeconfig: undefined }],
    ...{ localCluster: 'Kubernetes', tokenAudiences: ['istio-ca'] },
    ...{ trustedNodeAccounts: ['istio-system/ztunnel'], registration: 'off' },
    ...{ defaultTtlSeconds: 86_400, maxTtlSeconds: 7_776_000 },
  })
  expect(istio('clusters = { "a" = {}  "b" = { kube_config_file = "/k" } }')).toMatchObject({
    localCluster: undefined,
    clusters: [{ name: 'a' }, { name: 'b', kubeconfig: '/k' }],
  })
  expect(istio('clusters = { "a" = {} }  trusted_node_accounts = []')).toMatchObject({
    trustedNodeAccounts: [],
  })
})

test('Linkerd’s identity service needs nothing at all', () => {
  expect(read('mesh { linkerd {} }').mesh.linkerd).toEqual({
    ...{ bindAddress: '0.0.0.0', bindPort: 8080, kubeconfig: undefined },
    naming: { controlPlaneNamespace: 'linkerd', trustDomain: 'cluster.local' },
    ...{ tokenAudiences: ['identity.l5d.io'], takesApiServerTokens: true },
    ...{ issuanceLifetimeSeconds: 86_400, issuerTtlSeconds: 0, addsSpiffeId: false },
  })
})

test('lives that cannot be kept are warned of, and only for what is served', () => {
  const warnings = (mesh: string, server = '') => read(mesh, server).warnings.join('\n')
  expect(warnings('mesh { linkerd {} }')).toMatch(
    /mesh issuance_lifetime of 24h0m0s may be cut short/,
  )
  expect(warnings('mesh { istio_ca { clusters = { "a" = {} } } }')).toMatch(
    /mesh default_ttl of 24h/,
  )
  expect(warnings('mesh { linkerd {} }', 'ca_ttl = "144h"')).toBe('')
  expect(warnings('')).toBe('')
})

test.for([
  ['no cluster', 'istio_ca {}', /mesh\.istio_ca\.clusters is missing/],
  [
    'a local cluster that is none',
    'istio_ca { clusters = { "a" = {} } local_cluster = "b" }',
    /local_cluster is "b".*one of a/,
  ],
  [
    'tokens for anybody',
    'istio_ca { clusters = { "a" = {} } token_audiences = [] }',
    /token_audiences is empty/,
  ],
  [
    'no name to serve under',
    'istio_ca { clusters = { "a" = {} } dns_names = [] }',
    /dns_names is empty/,
  ],
  [
    'a wildcard to serve under',
    'istio_ca { clusters = { "a" = {} } dns_names = ["*.svc"] }',
    /wildcard/,
  ],
  [
    'an account without a namespace',
    'istio_ca { clusters = { "a" = {} } trusted_node_accounts = ["ztunnel"] }',
    /item 0 is "ztunnel"/,
  ],
  [
    'another way to register',
    'istio_ca { clusters = { "a" = {} } registration = "some" }',
    /one of off, entries/,
  ],
  [
    'a key that nobody knows',
    'istio_ca { clusters = { "a" = { kubeconfig = "x" } } }',
    /unknown key "kubeconfig"/,
  ],
  ['Linkerd tokens for anybody', 'linkerd { token_audiences = [] }', /token_audiences is empty/],
  ['a suffix that is no DNS name', 'linkerd { trust_domain = "Cluster_Local" }', /trust_domain/],
  [
    'names that become too long',
    `linkerd { trust_domain = "${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(7)}" }`,
    /makes no DNS name/,
  ],
  ['a namespace that is none', 'linkerd { control_plane_namespace = "a.b" }', /a namespace/],
  ['another mesh', 'consul {}', /unknown key "consul"/],
] as const)('it refuses %s', ([, mesh, why]) => {
  expect(() => read(`mesh { ${mesh} }`)).toThrow(why)
})
