/** The controller_manager block: what it means, and every way in which it is refused. */
import { describe, expect, test } from 'vitest'
import { readServerConfig } from '../../server/config.ts'

const read = (block: string) =>
  readServerConfig({
    path: 'server.conf',
    text: `server { trust_domain = "example.org" data_dir = "/tmp/x" }
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "/tmp/x/db" } }
  KeyManager "memory" { plugin_data {} }
}
${block}`,
    flags: {},
    env: {},
    readText: () => '',
  })

const controller = (keys: string) => read(`controller_manager {\n${keys}\n}`).controller

test('without the block nothing is registered from Kubernetes', () => {
  expect(read('').controller).toBeUndefined()
})

test('a name of the cluster is enough', () => {
  expect(controller('cluster_name = "a"')).toEqual({
    ...{ clusterName: 'a', clusterDomain: 'cluster.local', kubeconfig: undefined, className: '' },
    ...{ watchesClassless: false, parentIdTemplate: '', entryIdPrefix: 'a.', gcIntervalMs: 10_000 },
    ignoredNamespaces: ['kube-system', 'kube-public', 'spire-system'],
    leaderElection: {
      ...{ leaseName: 'steeple-controller-manager', namespace: undefined },
      ...{ durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },
    },
    webhook: undefined,
  })
})

test('every key has its place', () => {
  const keys = `cluster_name = "a"  cluster_domain = "b.local"  kube_config_file = "/k"
    class_name = "c"  watch_classless = true  ignore_namespaces = ["^x$"]
    parent_id_template = "spiffe://{{ .TrustDomain }}/n"  entry_id_prefix = "mine"
    gc_interval = "3s"  leader_election { leader_elect = false }
    mutating_webhook_configuration_name = "m"  webhook { port = 9000 }`
  expect(controller(keys)).toEqual({
    ...{ clusterName: 'a', clusterDomain: 'b.local', kubeconfig: '/k', className: 'c' },
    ...{ watchesClassless: true, ignoredNamespaces: ['^x$'], entryIdPrefix: 'mine.' },
    ...{ parentIdTemplate: 'spiffe://{{ .TrustDomain }}/n', gcIntervalMs: 3_000 },
    leaderElection: undefined,
    webhook: {
      ...{ host: '0.0.0.0', port: 9000, mutatingName: 'm' },
      validatingName: 'spire-controller-manager-webhook',
    },
  })
})

describe('refuses', () => {
  test.for([
    ['a block without a cluster', 'class_name = "x"', 'cluster_name is missing'],
    ['a name that no path may have', 'cluster_name = "a/b"', 'controller_manager.cluster_name'],
    ['an unknown key', 'cluster_name = "a"  clas_name = "b"', 'did you mean "class_name"'],
    [
      'a pattern that is none',
      'cluster_name = "a"  ignore_namespaces = ["("]',
      'ignore_namespaces has "("',
    ],
    [
      'a template that cannot be read',
      'cluster_name = "a"  parent_id_template = "{{"',
      'parent_id_template',
    ],
    [
      'a prefix that no ID may have',
      'cluster_name = "a"  entry_id_prefix = "a b"',
      'invalid characters',
    ],
    [
      'removal of what others made',
      'cluster_name = "a"  entry_id_prefix_cleanup = "x"',
      'never removes entries that it did not make',
    ],
    [
      'manifests in files',
      'cluster_name = "a"  static_manifest_path = "/x"',
      'static_manifest_path is',
    ],
    [
      'times that overlap',
      'cluster_name = "a"  leader_election { lease_duration = "5s" }',
      'lease_duration above renew_deadline',
    ],
  ] as const)('%s', ([, keys, why]) => {
    expect(() => controller(keys)).toThrow(why)
  })
})
