/**
 * Registration beside spire-controller-manager itself: the same objects in the same API server, its entries in SPIRE's
 * server, ours in ours. What the entries say and what the statuses count is the same.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Kind, type Server, startServer } from '../processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { type Running, start, until } from '../processes/process.ts'
import {
  apply,
  applyCrds,
  clusterSpiffeId,
  namespace,
  node,
  pod,
  serviceAccount,
} from './controller-objects.ts'
import { API_SERVER, interop, lacking, peer } from './interop.ts'

const NEEDS = [...API_SERVER, 'spire-server', 'spire-controller-manager'] as const

let kubernetes: Kubernetes
let spire: Server
let steeple: Server
let upstream: Running

beforeAll(async () => {
  if (lacking(NEEDS) !== undefined) return
  kubernetes = await startKubernetes()
  await applyCrds(kubernetes)
  await apply(kubernetes, node('one'), node('two'))
  await apply(
    kubernetes,
    namespace('shop', { team: 'shop' }),
    namespace('pay', { team: 'pay' }),
    namespace('kube-extra', { team: 'shop' }),
  )
  for (const name of ['shop', 'pay', 'kube-extra']) {
    await apply(kubernetes, serviceAccount(name, 'default'), serviceAccount(name, 'cart'))
  }
  spire = await startServer('spire')
  const config = join(kubernetes.dir, 'controller-manager.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      ...{ apiVersion: 'spire.spiffe.io/v1alpha1', kind: 'ControllerManagerConfig' },
      ...{ clusterName: 'cluster-a', clusterDomain: 'cluster.local', trustDomain: 'example.org' },
      ...{ spireServerSocketPath: spire.socket, gcInterval: 1_000_000_000, entryIDPrefix: 'scm' },
      ...{ ignoreNamespaces: ['kube-extra'], metrics: { bindAddress: '0' } },
      health: { healthProbeBindAddress: '0' },
    }),
  )
  upstream = start(peer('spire-controller-manager'), ['-config', config], {
    env: { KUBECONFIG: kubernetes.kubeconfig, ENABLE_WEBHOOKS: 'false' },
  })
}, 180_000)
afterAll(async () => {
  await upstream?.[Symbol.asyncDispose]()
  await steeple?.[Symbol.asyncDispose]()
  await spire?.[Symbol.asyncDispose]()
  await kubernetes?.[Symbol.asyncDispose]()
})

const ours = () =>
  startServer('steeple', {
    blocks: `controller_manager {
      cluster_name = "cluster-a"  kube_config_file = "${kubernetes.kubeconfig}"
      gc_interval = "1s"  ignore_namespaces = ["kube-extra"]
      leader_election { leader_elect = false }
    }`,
  })

/** What an entry says, without what each server makes of its own. */
async function entries(server: Server, by: Kind): Promise<readonly string[]> {
  const { code, stdout, stderr } = await server.cli(by, 'entry', 'show', '-output', 'json')
  expect(code, stderr).toBe(0)
  const all: readonly Record<string, unknown>[] = JSON.parse(stdout).entries
  return all
    .map(({ id: _, revision_number: __, created_at: ___, ...said }) => JSON.stringify(sorted(said)))
    .sort()
}

/** Lists in one order: SPIRE keeps none. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(sorted(one))).sort()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

const statuses = async (): Promise<Readonly<Record<string, unknown>>> => {
  const text = await kubernetes.mustKubectl([
    ...['get', 'clusterspiffeids,clusterstaticentries', '-o', 'json'],
  ])
  const items: readonly { metadata: { name: string }; status?: Record<string, unknown> }[] =
    JSON.parse(text).items
  return Object.fromEntries(
    items.map(({ metadata, status }) => {
      const { conditions: _, ...said } = status ?? {}
      return [metadata.name, said]
    }),
  )
}

const ID =
  'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}'

const OBJECTS: readonly object[] = [
  pod('shop', 'cart-1', { node: 'one', serviceAccount: 'cart', labels: { app: 'cart', v: '1' } }),
  pod('shop', 'cart-2', { node: 'two', serviceAccount: 'cart', labels: { app: 'cart' } }),
  pod('shop', 'plain', { node: 'one', annotations: { note: 'x' } }),
  pod('pay', 'pay-1', { node: 'two', labels: { app: 'pay' } }),
  pod('kube-extra', 'hidden', { node: 'one' }),
  clusterSpiffeId('default', {
    spiffeIDTemplate: ID,
    workloadSelectorTemplates: [
      'k8s:ns:{{ .PodMeta.Namespace }}',
      'k8s:sa:{{.PodSpec.ServiceAccountName}}',
    ],
    ...{ ttl: '1h30m', jwtTtl: '7m', hint: 'default' },
  }),
  clusterSpiffeId('labelled', {
    spiffeIDTemplate:
      'spiffe://{{ .TrustDomain }}/{{ .PodMeta.Labels.app }}/{{ or (index .PodMeta.Labels "v") "none" }}',
    podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
    namespaceSelector: { matchLabels: { team: 'shop' } },
    dnsNameTemplates: ['{{ .PodMeta.Name }}.shop', '{{ .PodMeta.Name }}.shop', 'first.example'],
    admin: true,
  }),
  clusterSpiffeId('failing', {
    spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/{{ .PodMeta.Labels.app }}',
    namespaceSelector: { matchLabels: { team: 'shop' } },
    podSelector: { matchLabels: { v: '1' } },
    workloadSelectorTemplates: ['{{ index .PodMeta.Annotations "missing" }}'],
  }),
  clusterSpiffeId('masked', {
    spiffeIDTemplate: ID,
    workloadSelectorTemplates: [
      'k8s:sa:{{.PodSpec.ServiceAccountName}}',
      'k8s:ns:{{ .PodMeta.Namespace }}',
    ],
    podSelector: { matchLabels: { app: 'pay' } },
  }),
  clusterSpiffeId('refused', {
    spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/spire/x',
    podSelector: { matchLabels: { app: 'pay' } },
  }),
  clusterSpiffeId('federating', {
    spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/federating/{{ .PodMeta.Name }}',
    podSelector: { matchLabels: { app: 'pay' } },
    federatesWith: ['unknown.test'],
  }),
  clusterSpiffeId('fallback', {
    spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/fallback/{{ .PodMeta.Name }}',
    fallback: true,
  }),
  clusterSpiffeId('of-a-class', { spiffeIDTemplate: ID, className: 'other', hint: 'never' }),
  {
    ...{ apiVersion: 'spire.spiffe.io/v1alpha1', kind: 'ClusterStaticEntry' },
    metadata: { name: 'vm' },
    spec: {
      spiffeID: 'spiffe://example.org/vm',
      parentID: 'spiffe://example.org/spire/agent/x509pop/vm',
      selectors: ['unix:uid:1', 'unix:gid:2'],
      ...{ x509SVIDTTL: '2h', dnsNames: ['b.example', 'a.example'], downstream: true },
    },
  },
]

/** Of what upstream said, when it does not settle. */
const SAID_CHARACTERS = 4_000

const isSettled = async (isAsWanted: (all: Readonly<Record<string, unknown>>) => boolean) => {
  const all = await statuses()
  return isAsWanted(all) ? all : undefined
}

interop('the same objects give the same entries and the same counters', NEEDS, async () => {
  for (const object of OBJECTS) await apply(kubernetes, object)
  // Which one of two that were made in the same second gives way is decided by their UIDs.
  const hasCounted = (all: Readonly<Record<string, unknown>>) =>
    JSON.stringify(all.federating ?? '').includes('"entryFailures":1') &&
    JSON.stringify([all.default, all.masked]).includes('"entriesMasked":1')
  const theirs = await until('upstream to settle', () => isSettled(hasCounted)).catch(
    async (cause) => {
      const said = upstream.output().slice(-SAID_CHARACTERS)
      throw new Error(`${said}\n${JSON.stringify(await statuses())}`, { cause })
    },
  )
  const theirEntries = await until('upstream’s entries', async () => {
    const found = await entries(spire, 'spire')
    return found.length >= 7 ? found : undefined
  })
  await upstream[Symbol.asyncDispose]()
  for (const kind of ['clusterspiffeid', 'clusterstaticentry']) {
    const names = await kubernetes.mustKubectl(['get', kind, '-o', 'name'])
    for (const name of names.trim().split('\n')) {
      const words = ['patch', name, '--subresource=status', '--type=merge', '-p']
      await kubernetes.mustKubectl([...words, '{"status":null}'])
    }
  }
  steeple = await ours()
  const mine = await until('ours to settle', () => isSettled(hasCounted))
  expect(await entries(steeple, 'spire')).toEqual(theirEntries)
  // Upstream forgets that it has set a static entry as soon as it looks again.
  const { vm: ourVm, ...ourCounters } = mine
  const { vm: _, ...theirCounters } = theirs
  expect(ourCounters).toEqual(theirCounters)
  expect(ourVm).toEqual({ rendered: true, masked: false, set: true })
})
