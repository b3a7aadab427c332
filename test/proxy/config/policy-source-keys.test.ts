import { expect, test } from 'vitest'
import { readProxyConfig } from '../../../proxy/config.ts'

const read = (settings: string, inbound = '') =>
  readProxyConfig({
    path: 'proxy.conf',
    text: `proxy {
      inbound "db" { listen = "127.0.0.1:1"  upstream = "127.0.0.1:2"  ${inbound} }
      ${settings}
    }`,
    ...{ flags: {}, env: {} },
    readText: () => '',
  })

test('a cluster as the source of policies lets them decide about plaintext', () => {
  const config = read(`policy_source "kubernetes" {
    kube_config_file = "/etc/kubeconfig"  pod_name = "db-1"  state_file = "/run/policies.json"
  }
  capture {}`)
  expect(config.policySource).toEqual({
    ...{ kubeConfigFile: '/etc/kubeconfig', podName: 'db-1', stateFile: '/run/policies.json' },
  })
  expect([config.inbound[0]?.mtls, config.capture?.mtls]).toEqual(['policy', 'policy'])
})

test('a block without keys is the service account of the own pod', () => {
  expect(read('policy_source "kubernetes" {}').policySource).toEqual({})
})

const KUBERNETES = 'policy_source "kubernetes" { pod_name = "db-1" }'
const DELEGATED = 'identity "delegated" { admin_socket = "/run/a.sock"  selectors = ["a:b"] }'

test.each([
  ['another source', 'policy_source "xds" {}', '', /policy_source\.xds is unknown/],
  [
    'two sources',
    'policy_source "kubernetes" {}\n policy_source "other" {}',
    '',
    /policy_source\.other is unknown \(expected one block/,
  ],
  [
    'a cluster and a directory',
    'policy_source "kubernetes" {}\n policy_dir = "/etc/policies"',
    '',
    /policy_source\.kubernetes and proxy\.policy_dir exclude each other/,
  ],
  [
    'labels from two places',
    `${KUBERNETES}\n workload { labels { app = "db" } }`,
    '',
    /pod_name and proxy\.workload\.labels exclude each other/,
  ],
  [
    'one pod for several workloads',
    `${KUBERNETES}\n ${DELEGATED}`,
    'selectors = ["a:c"]',
    /pod_name is of no use here/,
  ],
  ['a name that no pod has', 'policy_source "kubernetes" { pod_name = "../db" }', '', /pod_name/],
  ['a key that nobody reads', 'policy_source "kubernetes" { cluster = "a" }', '', /cluster/],
])('%s is refused', (_, settings, inbound, message) => {
  expect(() => read(settings, inbound)).toThrow(message)
})
