import { expect, test } from 'vitest'
import { readServerConfig } from '../../../server/config.ts'

const WEBHOOK = `controller_manager {
  cluster_name = "a"  webhook {}  mutating_webhook_configuration_name = "steeple"
}`

const read = (blocks: string) =>
  readServerConfig({
    path: 'server.conf',
    text: `server { trust_domain = "example.org"  data_dir = "/tmp/none" }
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3"  connection_string = "/tmp/none" } }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
}
${blocks}`,
    ...{ flags: {}, env: {} },
    readText: () => '',
  })

const injection = (keys: string) => `${WEBHOOK}\n sidecar_injection { ${keys} }`

test('injection has defaults for everything but the image and the way to the agent', () => {
  const { injection } = read(
    `${WEBHOOK}\n sidecar_injection { image = "steeple:1"  csi_driver = "csi.spiffe.io" }`,
  )
  expect(injection).toEqual({
    ...{ image: 'steeple:1', imagePullPolicy: 'IfNotPresent', trustDomain: 'example.org' },
    ...{ identity: { kind: 'csi', driver: 'csi.spiffe.io' }, socketName: 'api.sock' },
    ...{ rootNamespace: 'istio-system', meshAddresses: [], plaintextAddresses: [] },
    ...{ excludedInboundPorts: [], proxyUid: 1337, ipFamily: 'ipv4' },
    ...{ hasAccessLog: false, logLevel: 'INFO', tracing: undefined },
    requests: { cpu: '50m', memory: '128Mi' },
    limits: { cpu: undefined, memory: '512Mi' },
  })
})

test.each([
  ['', 1],
  ['sampling = 12.5', 12.5],
  ['sampling = "0"', 0],
])('proxies may tell a collector, with %j of %d percent', (sampling, samplingPercent) => {
  const otlpEndpoint = 'https://otel.monitoring.svc:4318'
  const tracing = `tracing { otlp_endpoint = "${otlpEndpoint}"  ${sampling} }`
  const keys = `image = "steeple:1"  csi_driver = "csi.spiffe.io"  ${tracing}`
  expect(read(injection(keys)).injection?.tracing).toEqual({ otlpEndpoint, samplingPercent })
})

const traced = (keys: string) => injection(`image = "a"  csi_driver = "a"  tracing { ${keys} }`)

test('without the blocks nothing is injected, and no status is written', () => {
  const { injection, policyStatus } = read('')
  expect([injection, policyStatus]).toEqual([undefined, undefined])
})

test('the status of policies has defaults for everything but the namespace of its lease', () => {
  expect(read('policy_status { lease_namespace = "spire" }').policyStatus).toEqual({
    ...{ kubeconfig: undefined, leaseNamespace: 'spire', leaseName: 'steeple-policy-status' },
    ...{ rootNamespace: 'istio-system', trustDomainAliases: [], trustedHops: 0 },
  })
})

test.each([
  ['no image', injection('csi_driver = "a"'), /sidecar_injection\.image/],
  [
    'no way to the agent',
    injection('image = "a"'),
    /has neither of agent_socket_dir and csi_driver/,
  ],
  [
    'two ways to the agent',
    injection('image = "a"  csi_driver = "a"  agent_socket_dir = "/run"'),
    /has both of agent_socket_dir and csi_driver/,
  ],
  ['a way that is no path', injection('image = "a"  agent_socket_dir = "run"'), /agent_socket_dir/],
  [
    'a user that is none',
    injection('image = "a"  csi_driver = "a"  proxy_uid = 70000'),
    /proxy_uid/,
  ],
  [
    'an address that is none',
    injection('image = "a"  csi_driver = "a"  mesh_addresses = ["10"]'),
    /mesh_addresses/,
  ],
  [
    'a quantity that is none',
    injection('image = "a"  csi_driver = "a"  cpu_limit = "much"'),
    /cpu_limit/,
  ],
  [
    'an image that is none',
    injection('image = "a b"  csi_driver = "a"'),
    /sidecar_injection\.image/,
  ],
  ['a collector that is none', traced('otlp_endpoint = "otel:4318"'), /no URL of a collector/],
  [
    'a collector with a password',
    traced('otlp_endpoint = "http://a:s3cr3t@otel"'),
    /^(?!.*s3cr3t).*sidecar_injection\.tracing\.otlp_endpoint is no URL of a collector/s,
  ],
  ['a share of nobody’s', traced('sampling = 1'), /tracing\.otlp_endpoint/],
  [
    'more than all',
    traced('otlp_endpoint = "http://otel"  sampling = 101'),
    /tracing\.sampling is "101"/,
  ],
  [
    'a file that is in no pod',
    traced('otlp_endpoint = "http://otel"  headers_file = "/h"'),
    /headers_file/,
  ],
  [
    'nobody who asks',
    'sidecar_injection { image = "a"  csi_driver = "a" }',
    /sidecar_injection is asked by nobody/,
  ],
  ['a lease without a namespace', 'policy_status {}', /policy_status\.lease_namespace/],
  ['a key that nobody reads', 'policy_status { lease_namespace = "a"  mode = "b" }', /mode/],
])('%s is refused', (_, blocks, message) => {
  expect(() => read(blocks)).toThrow(message)
})
