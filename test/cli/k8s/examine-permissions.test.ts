/** What the doctor asks of the API server for configurations of one's own, for which the roles of the chart are not enough. */
import { expect, test } from 'vitest'
import { examineCluster } from '../../../cli/k8s/examine-cluster.ts'
import { recordAt, textsAt } from '../../../kubernetes/object.ts'
import { TEST_NOW } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { scriptedCluster } from './scripted-cluster.ts'

type Layer = Readonly<Record<string, unknown>>

/** As `server.config` and `agent.config` of the chart. @param forbidden what nobody may, as `verb resource` */
async function findings(laidOver: { server?: Layer; agent?: Layer }, ...forbidden: string[]) {
  const cluster = await scriptedCluster()
  for (const component of ['server', 'agent'] as const) {
    const path = `/api/v1/namespaces/steeple/configmaps/steeple-${component}`
    const [key = '', text = ''] =
      Object.entries(textsAt(cluster.objects.get(path), 'data'))[0] ?? []
    const merged = merge(JSON.parse(text), laidOver[component] ?? {})
    cluster.objects.set(path, { data: { [key]: JSON.stringify(merged) } })
  }
  for (const one of forbidden) cluster.forbidden.add(one)
  const clock = new FakeClock(TEST_NOW)
  const checks = await examineCluster({ cluster, namespace: undefined, run: cluster.run, clock })
  const examined = checks.find(({ name }) => name === 'permissions')
  expect(examined?.unexamined).toBeUndefined()
  return (examined?.findings ?? []).map(({ problem, remedy }) => `${problem}; ${remedy}`)
}

function merge(under: unknown, over: Layer): Layer {
  const merged: Record<string, unknown> = { ...recordAt({ under }, 'under') }
  for (const [key, value] of Object.entries(over)) {
    const isLayer = typeof value === 'object' && value !== null && !Array.isArray(value)
    merged[key] = isLayer ? merge(merged[key], value as Layer) : value // a layer is an object
  }
  return merged
}

const attestor = (broker: Layer) => ({
  plugins: { WorkloadAttestor: { k8s: { plugin_data: { experimental: { broker } } } } },
})
const broker = { id: 'spiffe://example.org/broker' }
const notifier = (more: Layer) => ({
  plugins: { Notifier: { k8sbundle: { plugin_data: more } } },
})
const published = { format: 'pem', namespace: 'web', configmap_name: 'roots', configmap_key: 'k' }

test.for([
  [
    'an Istio CA',
    { server: { mesh: { istio_ca: { clusters: { Kubernetes: {} } } } } },
    'list pods',
    /may not list pods, which it needs to know which pods are on the node of a ztunnel; allow it by a role of your own, for the chart has none for mesh\.istio_ca;/,
  ],
  [
    'Linkerd’s identity service',
    { server: { mesh: { linkerd: {} } } },
    'create tokenreviews',
    /may not create tokenreviews\.authentication\.k8s\.io, which it needs to ask whose token a Linkerd proxy shows/,
  ],
  [
    'a Lease in the server’s own namespace',
    { server: { controller_manager: { leader_election: { leader_elect: true } } } },
    'update leases',
    /may not update leases\.coordination\.k8s\.io steeple-controller-manager in namespace steeple,/,
  ],
  [
    'a Lease in another namespace, which is to be made',
    {
      server: {
        controller_manager: {
          leader_election: { leader_elect: true, resource_namespace: 'leases' },
        },
      },
    },
    'create leases',
    /may not create leases\.coordination\.k8s\.io in namespace leases,/,
  ],
  [
    'a ConfigMap that the server makes',
    {
      server: {
        plugins: {
          BundlePublisher: { k8s_configmap: { plugin_data: { clusters: { here: published } } } },
        },
      },
    },
    'create configmaps',
    /may not create configmaps roots in namespace web, which it needs to publish the trust bundle there/,
  ],
  [
    'labelled webhooks',
    { server: notifier({ webhook_label: 'trusts' }) },
    'patch validatingwebhookconfigurations',
    /may not patch validatingwebhookconfigurations\.admissionregistration\.k8s\.io, which it needs to keep the caBundle of those with the label/,
  ],
  [
    'labelled APIServices',
    { server: notifier({ api_service_label: 'trusts' }) },
    'watch apiservices',
    /may not watch apiservices\.apiregistration\.k8s\.io,/,
  ],
  [
    'brokers of the cluster’s pods',
    {
      agent: attestor({
        access_policy: 'permissive',
        brokers: [{ ...broker, pod_reference_scope: 'cluster' }],
      }),
    },
    'get pods',
    /the agent may not get pods, which it needs to find pods of other nodes/,
  ],
  [
    'brokers that the cluster’s authorization judges',
    { agent: attestor({ access_policy: 'enforced', brokers: [broker] }) },
    'create subjectaccessreviews',
    /the agent may not create subjectaccessreviews\.authorization\.k8s\.io,/,
  ],
] as const)('a right is asked for that is needed by %s', async ([, laidOver, right, expected]) => {
  expect(await findings(laidOver, right)).toContainEqual(expect.stringMatching(expected))
  expect(await findings(laidOver)).toEqual([])
})

test.for([
  ['without that configuration', {}],
  [
    'of another cluster, where a kubeconfig says who the server is',
    { server: { mesh: { linkerd: { kube_config_file: '/etc/other' } } } },
  ],
] as const)('no right is asked for %s', async ([, laidOver]) => {
  const rights = ['update leases', 'create configmaps', 'watch apiservices', 'create leases']
  expect(await findings(laidOver, ...rights, 'create subjectaccessreviews')).toEqual([])
  const told = await findings(laidOver, 'create tokenreviews')
  expect(told).toHaveLength(1)
  expect(told[0]).toMatch(/ask whose token an agent shows; put back the roles of the chart;/)
})
