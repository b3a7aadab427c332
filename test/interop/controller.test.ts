/**
 * Registration from Kubernetes against a real API server: objects are applied by kubectl, entries are read by SPIRE's own
 * command line. Every pod is a real object of the API server; there is no kubelet, for none is asked.
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { type Server, startServer } from '../processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { until } from '../processes/process.ts'
import {
  apply,
  applyCrds,
  clusterSpiffeId,
  fieldOf,
  namespace,
  node,
  pod,
  serviceAccount,
  statusOnce,
} from './controller-objects.ts'
import { API_SERVER, interop, lacking } from './interop.ts'

const NEEDS = [...API_SERVER, 'spire-server'] as const

let kubernetes: Kubernetes
let server: Server

const TEMPLATE =
  'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}'

beforeAll(async () => {
  if (lacking(NEEDS) !== undefined) return
  kubernetes = await startKubernetes()
  await applyCrds(kubernetes)
  await apply(kubernetes, node('one'), node('two'))
  server = await startServer('steeple', {
    settings: 'audit_log_enabled = true',
    blocks: `controller_manager {
      cluster_name = "cluster-a"
      kube_config_file = "${kubernetes.kubeconfig}"
      gc_interval = "2s"
      leader_election { resource_namespace = "default" }
    }`,
  })
}, 120_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await kubernetes?.[Symbol.asyncDispose]()
})

interface ShownEntry {
  readonly id: string
  readonly spiffe_id: { readonly path: string }
  readonly parent_id: { readonly path: string }
  readonly selectors: readonly { readonly type: string; readonly value: string }[]
  readonly x509_svid_ttl: number
  readonly jwt_svid_ttl: number
  readonly dns_names: readonly string[]
  readonly hint: string
  readonly admin: boolean
  readonly downstream: boolean
  readonly federates_with: readonly string[]
}

/** What SPIRE's own command line shows of the entries whose path begins so. */
async function entries(path: string): Promise<readonly ShownEntry[]> {
  const { code, stdout, stderr } = await server.cli('spire', 'entry', 'show', '-output', 'json')
  expect(code, stderr).toBe(0)
  const all: readonly ShownEntry[] = JSON.parse(stdout).entries
  return all.filter(({ spiffe_id }) => spiffe_id.path.startsWith(path))
}

const entriesOnce = (
  path: string,
  isAsWanted: (found: readonly ShownEntry[]) => boolean,
): Promise<readonly ShownEntry[]> =>
  until(`the entries under ${path}`, async () => {
    const found = await entries(path)
    return isAsWanted(found) ? found : undefined
  })

const selectorsOf = (entry: ShownEntry | undefined) =>
  (entry?.selectors ?? []).map(({ type, value }) => `${type}:${value}`)

interop(
  'a pod gets the entry that a ClusterSPIFFEID of upstream declares for it',
  NEEDS,
  async () => {
    await apply(kubernetes, namespace('shop', { team: 'shop' }), serviceAccount('shop', 'cart'))
    await apply(
      kubernetes,
      pod('shop', 'cart-1', { node: 'one', serviceAccount: 'cart', labels: { app: 'cart' } }),
      clusterSpiffeId('shop', {
        spiffeIDTemplate: TEMPLATE,
        namespaceSelector: { matchLabels: { team: 'shop' } },
        podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['cart'] }] },
        dnsNameTemplates: ['{{ .PodMeta.Name }}.{{ .PodMeta.Namespace }}.{{ .ClusterDomain }}'],
        workloadSelectorTemplates: ['k8s:ns:{{ .PodMeta.Namespace }}'],
        ...{ ttl: '1h30m', jwtTtl: '5m', hint: 'cart' },
      }),
    )
    const [entry, ...others] = await entriesOnce('/ns/shop', (found) => found.length === 1)
    expect(others).toEqual([])
    const nodeUid = await fieldOf(kubernetes, 'node', 'one', '{.metadata.uid}')
    const podUid = await fieldOf(kubernetes, 'pod', 'cart-1', '{.metadata.uid}', 'shop')
    expect(entry).toMatchObject({
      spiffe_id: { path: '/ns/shop/sa/cart' },
      parent_id: { path: `/spire/agent/k8s_psat/cluster-a/${nodeUid}` },
      ...{ x509_svid_ttl: 5400, jwt_svid_ttl: 300, hint: 'cart' },
      dns_names: ['cart-1.shop.cluster.local'],
    })
    expect(entry?.id).toMatch(/^cluster-a\.[0-9a-f-]{36}$/)
    expect(selectorsOf(entry).sort()).toEqual([`k8s:ns:shop`, `k8s:pod-uid:${podUid}`])
    const { stats, conditions } = await statusOnce(
      kubernetes,
      'clusterspiffeid',
      'shop',
      (status) => isCounted(status, 'entriesToSet', 1),
    )
    expect(stats).toEqual({
      ...{
        namespacesSelected: 1,
        namespacesIgnored: 0,
        podsSelected: 1,
        podEntryRenderFailures: 0,
      },
      ...{ entriesMasked: 0, entriesToSet: 1, entryFailures: 0 },
    })
    expect(conditions).toMatchObject([
      { type: 'Accepted', status: 'True', observedGeneration: 1 },
      { type: 'Programmed', status: 'True', observedGeneration: 1 },
    ])
  },
)

const isCounted = (status: Readonly<Record<string, unknown>>, name: string, count: number) =>
  (status.stats as Readonly<Record<string, number>> | undefined)?.[name] === count

interop('labels, pods and namespaces that change change the entries with them', NEEDS, async () => {
  await apply(kubernetes, namespace('moves', { team: 'moves' }), serviceAccount('moves', 'default'))
  await apply(
    kubernetes,
    clusterSpiffeId('moves', {
      spiffeIDTemplate:
        'spiffe://{{ .TrustDomain }}/moves/{{ .PodMeta.Name }}/{{ index .PodMeta.Labels "v" }}',
      namespaceSelector: { matchLabels: { team: 'moves' } },
    }),
    pod('moves', 'a', { node: 'one', labels: { v: '1' } }),
    pod('moves', 'b', { node: 'two', labels: { v: '1' } }),
    pod('moves', 'unscheduled', { labels: { v: '1' } }),
  )
  const paths = (found: readonly ShownEntry[]) =>
    found.map(({ spiffe_id }) => spiffe_id.path).sort()
  const once = (...wanted: readonly string[]) =>
    entriesOnce('/moves/', (found) => paths(found).join() === wanted.join())
  await once('/moves/a/1', '/moves/b/1')
  await kubernetes.mustKubectl(['label', '--overwrite', 'pod', '-n', 'moves', 'a', 'v=2'])
  await once('/moves/a/2', '/moves/b/1')
  await kubernetes.mustKubectl(['delete', 'pod', '-n', 'moves', 'b', '--force', '--grace-period=0'])
  const [first] = await once('/moves/a/2')
  await kubernetes.mustKubectl(['delete', 'pod', '-n', 'moves', 'a', '--force', '--grace-period=0'])
  await once()
  await apply(kubernetes, pod('moves', 'a', { node: 'one', labels: { v: '2' } }))
  const [second] = await once('/moves/a/2')
  expect(selectorsOf(second)).not.toEqual(selectorsOf(first))
  await kubernetes.mustKubectl(['label', 'namespace', 'moves', 'team-'])
  await once()
  await kubernetes.mustKubectl(['label', 'namespace', 'moves', 'team=moves'])
  await once('/moves/a/2')
  await kubernetes.mustKubectl(['delete', 'clusterspiffeid', 'moves'])
  await once()
})

interop(
  'a Service’s ready pods get its names, and only as long as they are ready',
  NEEDS,
  async () => {
    await apply(kubernetes, namespace('dns'), serviceAccount('dns', 'default'))
    await apply(kubernetes, pod('dns', 'web', { node: 'one' }))
    const uid = await fieldOf(kubernetes, 'pod', 'web', '{.metadata.uid}', 'dns')
    const slice = (isReady: boolean) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'web-1',
        namespace: 'dns',
        labels: { 'kubernetes.io/service-name': 'web' },
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready: isReady },
          targetRef: { kind: 'Pod', name: 'web', namespace: 'dns', uid },
        },
      ],
    })
    await apply(
      kubernetes,
      clusterSpiffeId('dns', {
        spiffeIDTemplate: TEMPLATE,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'dns' } },
        autoPopulateDNSNames: true,
        dnsNameTemplates: ['first.example'],
      }),
      slice(true),
    )
    const [entry] = await entriesOnce('/ns/dns', (found) => found[0]?.dns_names.length === 5)
    expect(entry?.dns_names).toEqual([
      'first.example',
      'web',
      'web.dns',
      'web.dns.svc',
      'web.dns.svc.cluster.local',
    ])
    await apply(kubernetes, slice(false))
    const [after] = await entriesOnce('/ns/dns', (found) => found[0]?.dns_names.length === 1)
    expect(after?.id).toBe(entry?.id)
    await kubernetes.mustKubectl(['delete', 'clusterspiffeid', 'dns'])
  },
)

interop('entries of others are never touched, and one in the way is told', NEEDS, async () => {
  await apply(kubernetes, namespace('mixed', { team: 'mixed' }), serviceAccount('mixed', 'default'))
  await apply(kubernetes, pod('mixed', 'p', { node: 'one' }))
  const uid = await fieldOf(kubernetes, 'pod', 'p', '{.metadata.uid}', 'mixed')
  const nodeUid = await fieldOf(kubernetes, 'node', 'one', '{.metadata.uid}')
  const parent = `spiffe://example.org/spire/agent/k8s_psat/cluster-a/${nodeUid}`
  const create = (id: string, path: string, ...more: readonly string[]) =>
    server.cli(
      'spire',
      ...['entry', 'create', '-entryID', id, '-parentID', parent],
      ...['-spiffeID', `spiffe://example.org${path}`, '-selector', `k8s:pod-uid:${uid}`, ...more],
    )
  expect((await create('by-hand', '/mixed/default')).code).toBe(0)
  expect((await create('other.1', '/mixed/other')).code).toBe(0)
  await apply(
    kubernetes,
    clusterSpiffeId('mixed', {
      spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/mixed/{{ .PodSpec.ServiceAccountName }}',
      namespaceSelector: { matchLabels: { team: 'mixed' } },
    }),
  )
  const told = await statusOnce(kubernetes, 'clusterspiffeid', 'mixed', (status) =>
    isCounted(status, 'entryFailures', 1),
  )
  expect(JSON.stringify(told.conditions)).toContain('entry by-hand is there already')
  expect((await server.cli('spire', 'entry', 'delete', '-entryID', 'by-hand')).code).toBe(0)
  const [ours] = await entriesOnce('/mixed/default', (found) => found.length === 1)
  expect(ours?.id).toMatch(/^cluster-a\./)
  // What somebody does to an entry of ours is put right.
  expect((await server.cli('spire', 'entry', 'delete', '-entryID', ours?.id ?? '')).code).toBe(0)
  await entriesOnce('/mixed/default', ([found]) => found !== undefined && found.id !== ours?.id)
  await kubernetes.mustKubectl(['delete', 'clusterspiffeid', 'mixed'])
  await entriesOnce('/mixed/default', (found) => found.length === 0)
  expect((await entries('/mixed')).map(({ id }) => id)).toEqual(['other.1'])
})

interop('a spec that cannot be read registers nothing and says why', NEEDS, async () => {
  const bad = (spiffeIDTemplate: string) => clusterSpiffeId('bad', { spiffeIDTemplate })
  await apply(kubernetes, bad('spiffe://{{ .TrustDomain }}/{{ .PodMeta.Name | sha1sum }}'))
  const isRefused = (status: Readonly<Record<string, unknown>>, why: string) =>
    JSON.stringify(status.conditions ?? '').includes(why)
  await statusOnce(kubernetes, 'clusterspiffeid', 'bad', (status) =>
    isRefused(status, 'function \\"sha1sum\\" not defined'),
  )
  await apply(kubernetes, bad('spiffe://{{ .TrustDomain }}/x/{{ .PodMeta.Nmae }}'))
  await statusOnce(kubernetes, 'clusterspiffeid', 'bad', (status) =>
    isRefused(status, "can't evaluate field Nmae in type ObjectMeta"),
  )
  await kubernetes.mustKubectl(['delete', 'clusterspiffeid', 'bad'])
})

interop('static entries and fallbacks are as upstream has them', NEEDS, async () => {
  await apply(kubernetes, namespace('fall', { team: 'fall' }), serviceAccount('fall', 'default'))
  const inFall = { namespaceSelector: { matchLabels: { team: 'fall' } } }
  await apply(
    kubernetes,
    pod('fall', 'plain', { node: 'one' }),
    pod('fall', 'special', { node: 'one', labels: { special: 'yes' } }),
    clusterSpiffeId('fall-special', {
      ...inFall,
      spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/fall/special',
      podSelector: { matchLabels: { special: 'yes' } },
    }),
    clusterSpiffeId('fall-back', {
      ...inFall,
      spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/fall/{{ .PodMeta.Name }}-back',
      fallback: true,
    }),
    {
      apiVersion: 'spire.spiffe.io/v1alpha1',
      kind: 'ClusterStaticEntry',
      metadata: { name: 'vm' },
      spec: {
        spiffeID: 'spiffe://example.org/fall/vm',
        parentID: 'spiffe://example.org/spire/agent/x509pop/vm',
        selectors: ['unix:uid:1000'],
        x509SVIDTTL: '2h',
      },
    },
  )
  const found = await entriesOnce('/fall/', (all) => all.length === 3)
  expect(found.map(({ spiffe_id }) => spiffe_id.path).sort()).toEqual([
    '/fall/plain-back',
    '/fall/special',
    '/fall/vm',
  ])
  const status = await statusOnce(kubernetes, 'clusterstaticentry', 'vm', ({ set }) => set === true)
  expect(status).toMatchObject({ rendered: true, masked: false, set: true })
  await kubernetes.mustKubectl(['delete', 'clusterstaticentry', 'vm'])
  await entriesOnce('/fall/vm', (all) => all.length === 0)
})

interop(
  'a trust domain of the cluster is federated with, those of others stay',
  NEEDS,
  async () => {
    const federated = (name: string, url: string) => ({
      apiVersion: 'spire.spiffe.io/v1alpha1',
      kind: 'ClusterFederatedTrustDomain',
      metadata: { name: name.replaceAll('.', '-') },
      spec: {
        trustDomain: name,
        bundleEndpointURL: url,
        bundleEndpointProfile: { type: 'https_web' },
      },
    })
    const byHand = ['-trustDomain', 'hand.test', '-bundleEndpointURL', 'https://hand.test/']
    const made = await server.cli(
      ...([
        'spire',
        'federation',
        'create',
        ...byHand,
        '-bundleEndpointProfile',
        'https_web',
      ] as const),
    )
    expect(made.code, made.stderr).toBe(0)
    const relationships = async () => {
      const { stdout } = await server.cli('spire', 'federation', 'list', '-output', 'json')
      const all: readonly { trust_domain: string; bundle_endpoint_url: string }[] =
        JSON.parse(stdout).federation_relationships
      return all.map((one) => `${one.trust_domain} ${one.bundle_endpoint_url}`).sort()
    }
    const once = (...wanted: readonly string[]) =>
      until('the relationships', async () => (await relationships()).join() === wanted.join())
    await apply(
      kubernetes,
      federated('kube.test', 'https://kube.test/'),
      federated('hand.test', 'https://elsewhere.test/'),
    )
    await once('hand.test https://hand.test/', 'kube.test https://kube.test/')
    const told = await statusOnce(
      kubernetes,
      'clusterfederatedtrustdomain',
      'hand-test',
      ({ conditions }) => conditions !== undefined,
    )
    expect(JSON.stringify(told)).toContain('which the controller did not make')
    await apply(kubernetes, federated('kube.test', 'https://kube.test/two'))
    await once('hand.test https://hand.test/', 'kube.test https://kube.test/two')
    await kubernetes.mustKubectl(['delete', 'clusterfederatedtrustdomain', '--all'])
    await once('hand.test https://hand.test/')
  },
)

interop(
  'what happened while the server was down is made good, and nothing else',
  NEEDS,
  async () => {
    await apply(kubernetes, namespace('down', { team: 'down' }), serviceAccount('down', 'default'))
    await apply(
      kubernetes,
      clusterSpiffeId('down', {
        spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/down/{{ .PodMeta.Name }}',
        namespaceSelector: { matchLabels: { team: 'down' } },
      }),
      ...['a', 'b'].map((name) => pod('down', name, { node: 'one' })),
    )
    const before = await entriesOnce('/down/', (found) => found.length === 2)
    server.process().kill('SIGKILL')
    await server.process().ended
    await kubernetes.mustKubectl([
      'delete',
      'pod',
      '-n',
      'down',
      'b',
      '--force',
      '--grace-period=0',
    ])
    await apply(kubernetes, pod('down', 'c', { node: 'two' }))
    await server.restart()
    // The lease of the killed process has to run out first.
    const paths = (found: readonly ShownEntry[]) =>
      found.map(({ spiffe_id }) => spiffe_id.path).sort()
    const after = await entriesOnce('/down/', (found) => paths(found).join() === '/down/a,/down/c')
    const kept = (all: readonly ShownEntry[]) =>
      all.find(({ spiffe_id }) => spiffe_id.path === '/down/a')?.id
    expect(kept(after)).toBe(kept(before))
  },
)
