/**
 * The bundle in Kubernetes: our server and SPIRE's with the same configuration and the same authority publish into the
 * same real API server, and what they leave there is the same. ClusterTrustBundles, which only ours publishes, follow
 * a forced rotation.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Kind, type Server, startServer } from '../processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { run, until } from '../processes/process.ts'
import { API_SERVER, interop, lacking } from './interop.ts'
import { restrictedKubeconfig } from './kubernetes/restricted-kubeconfig.ts'

const NEEDS = [...API_SERVER, 'spire-server'] as const
const KINDS: readonly Kind[] = ['steeple', 'spire']

let kubernetes: Kubernetes
let upstream: string
let rootPem: string
beforeAll(async () => {
  if (lacking(API_SERVER) !== undefined) return
  kubernetes = await startKubernetes()
  const [key, cert] = ['upstream.key', 'upstream.pem'].map((name) => join(kubernetes.dir, name))
  if (key === undefined || cert === undefined) throw new Error('unreachable')
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/O=upstream', '-days', '30', '-keyout', key, '-out', cert],
    ...['-addext', 'subjectAltName=URI:spiffe://example.org'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  expect(made.code, made.stderr).toBe(0)
  upstream = `UpstreamAuthority "disk" { plugin_data { cert_file_path = "${cert}" key_file_path = "${key}" } }`
  rootPem = readFileSync(cert, 'utf8')
}, 120_000)
afterAll(async () => await kubernetes?.[Symbol.asyncDispose]())

const namespaced = async (...names: readonly string[]) => {
  for (const name of names) await kubernetes.mustKubectl(['create', 'namespace', name])
}

const withPlugins = (kind: Kind, plugins: string): Promise<Server> =>
  startServer(kind, { plugins: `${upstream}\n${plugins}` })

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>
  readonly metadata: { readonly managedFields?: readonly { readonly manager: string }[] }
}

const configMap = async (namespace: string, name: string): Promise<ConfigMap> => {
  const words = ['get', 'configmap', '-n', namespace, name, '-o', 'json', '--show-managed-fields']
  return JSON.parse(await kubernetes.mustKubectl(words))
}

interop('a bundle in a ConfigMap is what SPIRE puts there, in every format', NEEDS, async () => {
  await namespaced('cm-steeple', 'cm-spire')
  const cluster = (kind: Kind, format: string) => `"${format}" = {
    format = "${format}"  namespace = "cm-${kind}"  configmap_name = "bundle-${format}"
    configmap_key = "b"  kubeconfig_path = "${kubernetes.kubeconfig}"  refresh_hint = "77s" }`
  const published: Record<string, readonly ConfigMap[]> = {}
  for (const kind of KINDS) {
    const other = ['create', 'configmap', 'bundle-pem', '-n', `cm-${kind}`, '--from-literal=x=1']
    await kubernetes.mustKubectl(other)
    await using server = await withPlugins(
      kind,
      `BundlePublisher "k8s_configmap" { plugin_data { clusters = {
        ${cluster(kind, 'spiffe')}, ${cluster(kind, 'jwks')}, ${cluster(kind, 'pem')} } } }`,
    )
    expect(server.kind).toBe(kind)
    const maps = () =>
      Promise.all(
        ['spiffe', 'jwks', 'pem'].map((format) => configMap(`cm-${kind}`, `bundle-${format}`)),
      )
    published[kind] = await until('all three to be published', async () => {
      const all = await maps().catch(() => [])
      return all.length === 3 && all.every(({ data }) => data?.b !== undefined) ? all : undefined
    })
  }
  const [ours = [], theirs = []] = KINDS.map((kind) => published[kind])
  for (const [index, map] of ours.entries()) {
    const managers = ({ metadata }: ConfigMap) =>
      metadata.managedFields?.map(({ manager }) => manager)
    expect(managers(map)).toEqual(theirs[index] && managers(theirs[index]))
  }
  const [spiffe, jwks, pem] = ours.map(({ data }) => data?.b ?? '')
  expect(pem).toBe(theirs[2]?.data?.b)
  expect(pem?.trim()).toBe(rootPem.trim())
  expect(ours[2]?.data?.x).toBe('1')
  const shape = (text = '') => {
    const { keys, spiffe_sequence: _, ...rest } = JSON.parse(text)
    return {
      ...rest,
      keys: keys.map(({ use, kty, x5c }: Record<string, unknown>) => ({ use, kty, x5c })),
    }
  }
  expect(shape(spiffe)).toEqual(shape(theirs[0]?.data?.b))
  expect(shape(spiffe).spiffe_refresh_hint).toBe(77)
  expect(shape(jwks)).toEqual(shape(theirs[1]?.data?.b))
})

const WEBHOOK = (name: string) => ({
  ...{ name, sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Ignore' },
  clientConfig: { service: { name: 'none', namespace: 'default', path: '/x' } },
  namespaceSelector: { matchLabels: { 'no-such': 'label' } },
})

/** One of each kind that trusts what it is given, under a label of its own. */
const trusting = (name: string, label: string) => [
  ...['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'].map((kind) => ({
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind },
    metadata: { name, labels: { [label]: 'true' } },
    webhooks: [WEBHOOK('a.example.org'), WEBHOOK('b.example.org')],
  })),
  {
    ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' },
    metadata: { name: `v1.${name}.example.org`, labels: { [label]: 'true' } },
    spec: {
      ...{ group: `${name}.example.org`, version: 'v1', versionPriority: 1 },
      ...{ groupPriorityMinimum: 1000, service: { name: 'none', namespace: 'default' } },
    },
  },
]

const create = async (objects: readonly object[]) => {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  await kubernetes.mustKubectl(['create', '-f', '-'], JSON.stringify(list))
}

/** What each of them trusts, decoded, without what is the API server's own. */
const trusted = async (name: string): Promise<readonly string[]> => {
  const found: string[] = []
  for (const kind of ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration']) {
    const words = ['get', kind, name, '-o', 'jsonpath={.webhooks[*].clientConfig.caBundle}']
    found.push(...(await kubernetes.mustKubectl(words)).split(' '))
  }
  const service = ['get', 'apiservice', `v1.${name}.example.org`, '-o', 'jsonpath={.spec.caBundle}']
  found.push(await kubernetes.mustKubectl(service))
  return found.map((text) => Buffer.from(text, 'base64').toString())
}

interop(
  'the notifier fills a ConfigMap and labelled webhooks and APIServices, early and late ones, as SPIRE’s does',
  NEEDS,
  async () => {
    const five = Array.from({ length: 5 }, () => rootPem)
    for (const kind of KINDS) {
      const namespace = `nb-${kind}`
      await namespaced(namespace)
      const map = ['create', 'configmap', 'mine', '-n', namespace, '--from-literal=x=1']
      await kubernetes.mustKubectl(map)
      await create([
        ...trusting(`early-${kind}`, `trusts.example.org/${kind}`),
        ...trusting(`other-${kind}`, 'trusts.example.org/nobody'),
      ])
      await using server = await withPlugins(
        kind,
        `Notifier "k8sbundle" { plugin_data {
          namespace = "${namespace}"  config_map = "mine"  config_map_key = "ca.pem"
          kube_config_file_path = "${kubernetes.kubeconfig}"
          webhook_label = "trusts.example.org/${kind}"
          api_service_label = "trusts.example.org/${kind}" } }`,
      )
      expect(server.kind).toBe(kind)
      await expect
        .poll(async () => (await configMap(namespace, 'mine')).data, { timeout: 20_000 })
        .toEqual({ x: '1', 'ca.pem': rootPem })
      await expect.poll(() => trusted(`early-${kind}`), { timeout: 20_000 }).toEqual(five)
      await create(trusting(`late-${kind}`, `trusts.example.org/${kind}`))
      await expect.poll(() => trusted(`late-${kind}`), { timeout: 20_000 }).toEqual(five)
      // Somebody else's change is put right.
      const patch = '[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]'
      const words = ['patch', 'validatingwebhookconfiguration', `late-${kind}`, '--type=json']
      await kubernetes.mustKubectl([...words, '-p', patch])
      await expect.poll(() => trusted(`late-${kind}`), { timeout: 20_000 }).toEqual(five)
      expect(await trusted(`other-${kind}`)).toEqual(Array.from({ length: 3 }, () => ''))
    }
  },
)

interop(
  'a ConfigMap that is missing stops SPIRE’s server; ours says so and serves, until it is there',
  NEEDS,
  async () => {
    await namespaced('missing')
    const plugins = `Notifier "k8sbundle" { plugin_data {
      namespace = "missing"  kube_config_file_path = "${kubernetes.kubeconfig}" } }`
    await expect(withPlugins('spire', plugins)).rejects.toThrow()
    await using server = await withPlugins('steeple', plugins)
    expect((await server.cli('steeple', 'healthcheck')).code).toBe(0)
    await kubernetes.mustKubectl(['create', 'configmap', 'spire-bundle', '-n', 'missing'])
    await expect
      .poll(async () => (await configMap('missing', 'spire-bundle')).data, { timeout: 30_000 })
      .toEqual({ 'bundle.crt': rootPem })
  },
)

const localAuthority = async (server: Server, ...words: readonly string[]) => {
  const all = ['localauthority', 'x509', ...words, '-output', 'json']
  const { code, stdout, stderr } = await server.cli('spire', ...all)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`)
  return JSON.parse(stdout)
}

interop('a ClusterTrustBundle has each new authority before it signs', NEEDS, async () => {
  await using server = await startServer('steeple', {
    plugins: `BundlePublisher "k8s_cluster_trust_bundle" { plugin_data {
      signer_name = "example.org/spiffe"  kubeconfig_path = "${kubernetes.kubeconfig}" } }`,
  })
  const published = async () => {
    const words = ['get', 'clustertrustbundle', 'example.org:spiffe:example.org', '-o', 'json']
    const { spec } = JSON.parse(await kubernetes.mustKubectl(words))
    expect(spec.signerName).toBe('example.org/spiffe')
    return String(spec.trustBundle)
  }
  const own = async () => (await server.cli('steeple', 'bundle', 'show')).stdout.trim()
  const hasAll = async () => (await published()).trim() === (await own())
  await until('the bundle to be published', hasAll)
  const before = await published()
  await localAuthority(server, 'prepare')
  const prepared = await until('the prepared authority to be published', async () => {
    const now = await published()
    return now === before ? undefined : now
  })
  expect(prepared.match(/BEGIN/g)).toHaveLength(2)
  const { active, prepared: next } = await localAuthority(server, 'show')
  const [old, latest] = [active.authority_id, next.authority_id]
  await localAuthority(server, 'activate', '-authorityID', latest)
  await localAuthority(server, 'taint', '-authorityID', old)
  // Tainted is not gone: whoever still shows an SVID of it is to be verified until it is revoked.
  await until('the bundle to be as ours', hasAll)
  expect(await published()).toBe(prepared)
  await localAuthority(server, 'revoke', '-authorityID', old)
  await until('the revoked authority to be gone', async () => {
    return (await published()).match(/BEGIN/g)?.length === 1 && (await hasAll())
  })
})

const CERTIFICATES = ['certificates.k8s.io']

interop('each publisher needs no more rights than are listed here', API_SERVER, async () => {
  await namespaced('rights')
  await kubernetes.mustKubectl(['create', 'configmap', 'notified', '-n', 'rights'])
  await create(trusting('rights', 'trusts.example.org/rights'))
  const [apply, notify, trust] = [
    await restrictedKubeconfig(kubernetes, 'applies', [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch'] },
    ]),
    await restrictedKubeconfig(kubernetes, 'notifies', [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'] },
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
        verbs: ['list', 'watch', 'patch'],
      },
      {
        ...{ apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'] },
        verbs: ['list', 'watch', 'patch'],
      },
    ]),
    await restrictedKubeconfig(kubernetes, 'trusts', [
      {
        ...{ apiGroups: CERTIFICATES, resources: ['clustertrustbundles'] },
        verbs: ['get', 'create', 'patch'],
      },
      {
        ...{ apiGroups: CERTIFICATES, resources: ['signers'], verbs: ['attest'] },
        resourceNames: ['example.org/rights'],
      },
    ]),
  ]
  await using server = await withPlugins(
    'steeple',
    `BundlePublisher "k8s_configmap" { plugin_data { clusters = { "a" = {
      format = "pem"  namespace = "rights"  configmap_name = "applied"  configmap_key = "k"
      kubeconfig_path = "${apply}" } } } }
    BundlePublisher "k8s_cluster_trust_bundle" { plugin_data {
      signer_name = "example.org/rights"  kubeconfig_path = "${trust}" } }
    Notifier "k8sbundle" { plugin_data {
      namespace = "rights"  config_map = "notified"  kube_config_file_path = "${notify}"
      webhook_label = "trusts.example.org/rights"  api_service_label = "trusts.example.org/rights" } }`,
  )
  const five = Array.from({ length: 5 }, () => rootPem)
  await expect.poll(() => trusted('rights'), { timeout: 20_000 }).toEqual(five)
  await expect
    .poll(async () => (await configMap('rights', 'notified')).data, { timeout: 20_000 })
    .toEqual({ 'bundle.crt': rootPem })
  expect((await configMap('rights', 'applied')).data).toEqual({ k: rootPem })
  const words = ['get', 'clustertrustbundle', 'example.org:rights:example.org']
  expect(await kubernetes.mustKubectl([...words, '-o', 'jsonpath={.spec.trustBundle}'])).toBe(
    rootPem,
  )
  expect(server.process().output()).not.toMatch(/refused|Failed to publish|Lost touch/)
})
