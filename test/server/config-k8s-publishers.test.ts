import { expect, test } from 'vitest'
import { readServerConfig } from '../../server/config.ts'

const read = (plugins: string, blocks = '', trustDomain = 'example.org') =>
  readServerConfig({
    ...{ path: 'server.conf', flags: {}, env: {} },
    readText: () => {
      throw new Error('no other file is read')
    },
    text: `server { trust_domain = "${trustDomain}" data_dir = "/d" }
plugins {
DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "/d/db" } }
KeyManager "memory" {}
${plugins}
}
${blocks}`,
  })

const MAP = 'format = "pem" namespace = "ns" configmap_name = "cm" configmap_key = "k"'
const configMaps = (clusters: string) =>
  read(`BundlePublisher "k8s_configmap" { plugin_data { clusters = { ${clusters} } } }`)

test('each cluster of k8s_configmap is a place of its own', () => {
  const clusters = `"a" = { ${MAP} }, "b" = { ${MAP} kubeconfig_path = "/k" refresh_hint = "2m" }`
  expect(configMaps(clusters).publishers).toEqual([
    {
      ...{ kind: 'k8s_configmap', clusterName: 'a', kubeconfig: undefined, namespace: 'ns' },
      ...{ configMap: 'cm', key: 'k', format: 'pem', refreshHintSeconds: undefined },
    },
    {
      ...{ kind: 'k8s_configmap', clusterName: 'b', kubeconfig: '/k', namespace: 'ns' },
      ...{ configMap: 'cm', key: 'k', format: 'pem', refreshHintSeconds: 120 },
    },
  ])
})

test('k8s_configmap without a cluster is accepted and warned of, as by SPIRE', () => {
  const config = read('BundlePublisher "k8s_configmap" { plugin_data {} }')
  expect(config.publishers).toEqual([])
  expect(config.warnings.join()).toMatch(/No clusters configured, bundle will not be published/)
})

test.for([
  ['a missing format', MAP.replace('format = "pem"', ''), 'clusters.a.format is missing'],
  ['a format of no kind', MAP.replace('"pem"', '"der"'), 'clusters.a.format is "der"'],
  ['a missing namespace', MAP.replace('namespace = "ns"', ''), 'clusters.a.namespace is missing'],
  [
    'a missing ConfigMap',
    MAP.replace('configmap_name = "cm"', ''),
    'clusters.a.configmap_name is missing',
  ],
  ['a missing key', MAP.replace('configmap_key = "k"', ''), 'clusters.a.configmap_key is missing'],
  [
    'a namespace that is a path',
    MAP.replace('"ns"', '"../kube-system"'),
    'clusters.a.namespace is',
  ],
  ['a ConfigMap that is a path', MAP.replace('"cm"', '"x/status"'), 'a.configmap_name is'],
  ['a key with a slash', MAP.replace('"k"', '"a/b"'), 'clusters.a.configmap_key is'],
  ['a hint that is no duration', `${MAP} refresh_hint = "soon"`, 'clusters.a.refresh_hint is'],
  ['a key of another plugin', `${MAP} config_map = "x"`, 'unknown key "config_map"'],
] as const)('refuses %s', ([, cluster, why]) => {
  expect(() => configMaps(`"a" = { ${cluster} }`)).toThrow(why)
})

const notifier = (data: string) => read(`Notifier "k8sbundle" { plugin_data { ${data} } }`)
const DEFAULTS = {
  ...{ kind: 'k8sbundle', kubeconfig: undefined, namespace: 'spire', configMap: 'spire-bundle' },
  ...{ key: 'bundle.crt', webhookLabel: undefined, apiServiceLabel: undefined },
}

test('the notifier k8sbundle has SPIRE’s defaults', () => {
  expect(notifier('').publishers).toEqual([DEFAULTS])
})

test('further clusters of k8sbundle stand beside its own, or instead of it when nothing else is written', () => {
  const one = '{ kube_config_file_path = "/one" webhook_label = "example.org/ca" }'
  const two = '{ kube_config_file_path = "/two" namespace = "infra" }'
  const others = [
    { ...DEFAULTS, kubeconfig: '/one', webhookLabel: 'example.org/ca' },
    { ...DEFAULTS, kubeconfig: '/two', namespace: 'infra' },
  ]
  expect(notifier(`clusters = [${one}, ${two}]`).publishers).toEqual(others)
  expect(notifier(`config_map = "own" clusters = [${one}, ${two}]`).publishers).toEqual([
    { ...DEFAULTS, configMap: 'own' },
    ...others,
  ])
})

test.for([
  ['a cluster without a kubeconfig', 'clusters = [{ namespace = "x" }]', 'kube_config_file_path'],
  ['a cluster that is a text', 'clusters = ["x"]', 'clusters.0 is a string'],
  ['a label with a space', 'webhook_label = "a b"', 'webhook_label is "a b"'],
  ['a label that selects more', 'api_service_label = "a=true,b"', 'api_service_label is'],
  ['an unknown key', 'configmap = "x"', 'unknown key "configmap"'],
] as const)('refuses for k8sbundle %s', ([, data, why]) => {
  expect(() => notifier(data)).toThrow(why)
})

const trustBundle = (data: string, trustDomain = 'example.org') =>
  read(`BundlePublisher "k8s_cluster_trust_bundle" { plugin_data { ${data} } }`, '', trustDomain)

test.for([
  ['', 'example.org', 'example.org'],
  ['signer_name = "example.org/spiffe"', 'example.org', 'example.org:spiffe:example.org'],
  ['signer_name = "a.b/c/d"', 'my_domain', 'a.b:c:d:my-domain'],
  ['signer_name = "a.b/c" name = "a.b:c:mine"', 'example.org', 'a.b:c:mine'],
] as const)('a ClusterTrustBundle with %j of %s is called %s', ([data, trustDomain, name]) => {
  expect(trustBundle(data, trustDomain).publishers).toMatchObject([
    { kind: 'k8s_cluster_trust_bundle', name },
  ])
})

test.for([
  ['a signer without a name', 'signer_name = "example.org"'],
  ['a signer whose domain is one label', 'signer_name = "example/spiffe"'],
  ['a signer in capitals', 'signer_name = "Example.org/spiffe"'],
  ['a name of another signer', 'signer_name = "a.b/c" name = "a.b:d:x"'],
  ['a name that is only the prefix', 'signer_name = "a.b/c" name = "a.b:c:"'],
  ['a name with a colon and no signer', 'name = "a:b"'],
  ['a name that is a path', 'name = "a/b"'],
] as const)('refuses a ClusterTrustBundle with %s', ([, data]) => {
  expect(() => trustBundle(data)).toThrow(/k8s_cluster_trust_bundle.(signer_name|name) is/)
})

const signing = (body: string, name = 'demo') =>
  read('', `pod_certificates "${name}" { ${body} }`).podCertificates

test('a signer of PodCertificateRequests goes by entries unless it has a template', () => {
  expect(read('').podCertificates).toEqual([])
  expect(signing('signer_name = "example.org/spiffe"')).toEqual([
    {
      ...{ clusterName: 'demo', signerName: 'example.org/spiffe', kubeconfig: undefined },
      ...{ template: undefined, entryWaitSeconds: 30 },
    },
  ])
})

const SIGNER = 'signer_name = "example.org/spiffe"'

test.for([
  ['no signer', '', 'signer_name is missing'],
  ['a signer of Kubernetes', 'signer_name = "kubernetes.io/x"', 'signer_name is "kubernetes.io/x"'],
  ['another signer of Kubernetes', 'signer_name = "a.kubernetes.io/x"', 'signer_name is'],
  ['a template without a trust domain', `${SIGNER} spiffe_id_template = "/a"`, 'not a SPIFFE ID'],
  [
    'a template of another trust domain',
    `${SIGNER} spiffe_id_template = "spiffe://other.org/{{ .PodMeta.Name }}"`,
    'makes no ID of a workload of example.org',
  ],
  [
    'a template of a reserved ID',
    `${SIGNER} spiffe_id_template = "spiffe://example.org/spire/agent/{{ .PodMeta.Name }}"`,
    'reserved namespace',
  ],
  [
    'a template that calls a function',
    `${SIGNER} spiffe_id_template = "spiffe://example.org/{{ .PodMeta.Name | upper }}"`,
    'is not implemented, only .TrustDomain',
  ],
  [
    'a template with a loose brace',
    `${SIGNER} spiffe_id_template = "spiffe://example.org/{{ .PodMeta.Name }"`,
    'braces that do not match',
  ],
] as const)('refuses to sign for pods with %s', ([, body, why]) => {
  expect(() => signing(body)).toThrow(why)
})
