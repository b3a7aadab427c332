/**
 * Pods of every kind call three agents: SPIRE's, ours that asks the kubelet, and ours that watches the API server. All
 * three must find the very same selectors for each container. Permissions are the least that each needs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import { readAttested } from '../../processes/attested.ts'
import { type Agent, program, startAgent, startServer } from '../../processes/cluster.ts'
import type { Story, StoryContext } from '../story.ts'

const NAMESPACE = 'workload-attestation'
const ROLES = ['kubelet-reader', 'pod-watcher'] as const
const PATIENCE_MS = 120_000
/** Of each kind of pod below. */
const CONTAINERS = [
  'batch/main',
  'each/main',
  'nethost/main',
  'nethost/main through another namespace',
  'plain/one',
  'plain/setup',
  'plain/two',
  'web/main',
]

export const story: Story = {
  title: 'pods of every kind have the same selectors for SPIRE’s agent and ours',
  needs: 'cluster',
  async run(context) {
    const namespace = await context.namespace(NAMESPACE, { team: 'shop', 'example.org/tier': 'a' })
    const dir = mkdtempSync(join(tmpdir(), 'workloads-'))
    context.afterwards(async () => rmSync(dir, { recursive: true }))
    await grant(context, namespace)
    // SPIRE's agent has no other way to be told of an API server when it is in no pod.
    env.KUBECONFIG = context.cluster.kubeconfig
    await using server = await startServer('spire')
    const logs = { settings: 'log_format = "json"' }
    const plugins = await attestors(context, namespace, dir)
    await using spire = await startAgent('spire', server, { ...logs, plugins: plugins.spire })
    await using kubelet = await startAgent('steeple', server, { ...logs, plugins: plugins.kubelet })
    await using watch = await startAgent('steeple', server, { ...logs, plugins: plugins.watch })
    const agents = { spire, kubelet, watch }
    await context.apply(...workloads(namespace, Object.values(agents)))
    const found = await context.until(
      'all containers to have called all agents',
      async () => allFound(agents),
      PATIENCE_MS,
    )
    compare(found)
    return `${CONTAINERS.length} containers, ${count(found.spire)} selectors each side`
  },
}

type Agents = Readonly<Record<'spire' | 'kubelet' | 'watch', Agent>>
/** Container → what it was found to be, each time. */
type Found = ReadonlyMap<string, readonly string[]>

/** One service account may list a node's pods at the kubelet and read namespaces; the other may watch both. */
async function grant({ apply, afterwards, mustKubectl }: StoryContext, namespace: string) {
  const rules = {
    'kubelet-reader': [
      { apiGroups: [''], resources: ['nodes/pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['namespaces'], verbs: ['list', 'watch'] },
    ],
    'pod-watcher': [
      { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['list', 'watch'] },
    ],
  }
  const rbac = 'rbac.authorization.k8s.io'
  for (const role of ROLES) {
    const name = `${namespace}-${role}`
    afterwards(() => mustKubectl(['delete', 'clusterrole,clusterrolebinding', name]))
    await apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: role, namespace } },
      { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules: rules[role] },
      {
        ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name } },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name: role, namespace }],
      },
    )
  }
}

async function attestors(context: StoryContext, namespace: string, dir: string) {
  const { mustKubectl, cluster } = context
  const path = async (role: (typeof ROLES)[number]) => {
    const token = (await mustKubectl(['create', 'token', '-n', namespace, role])).trim()
    const server = await mustKubectl([
      'config',
      'view',
      '-o',
      'jsonpath={.clusters[0].cluster.server}',
    ])
    const [tokenPath, kubeconfig] = [join(dir, `${role}.token`), join(dir, `${role}.kubeconfig`)]
    writeFileSync(tokenPath, token, { mode: 0o600 })
    const ofCluster = { server, 'certificate-authority': join(cluster.dir, 'ca.crt') }
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
      clusters: [{ name: 'c', cluster: ofCluster }],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }
    writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
    return { tokenPath, kubeconfig }
  }
  const [reader, watcher] = await Promise.all([path('kubelet-reader'), path('pod-watcher')])
  const node = await mustKubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}'])
  const kubelet = `kubelet_ca_path = "${cluster.dir}/ca.crt"
    token_path = "${reader.tokenPath}"
    enable_namespace_labels = true`
  const k8s = (data: string) => `WorkloadAttestor "k8s" { plugin_data {\n${data}\n} }`
  return {
    spire: k8s(kubelet),
    kubelet: k8s(`${kubelet}\nkubeconfig = "${reader.kubeconfig}"`),
    watch: k8s(`pod_source = "api_server"
    node_name = "${node}"
    kubeconfig = "${watcher.kubeconfig}"
    enable_namespace_labels = true`),
  }
}

/** Each container calls every agent, at whichever socket it has. */
function workloads(namespace: string, agents: readonly Agent[]): readonly object[] {
  const [client] = program('spire', 'agent')
  const calls = (before = '') =>
    agents.map(
      ({ socket }) => `${before}${client} api fetch x509 -timeout 60s -socketPath ${socket}`,
    )
  const container = (name: string, then = 'exec sleep 3600', before = calls()) => ({
    name,
    image: 'localhost/workload:1',
    command: ['chroot', '/host', '/bin/sh', '-c', [...before, then].join('; ')],
    volumeMounts: [{ name: 'host', mountPath: '/host' }],
  })
  const spec = (containers: readonly object[], more: object = {}) => ({
    volumes: [{ name: 'host', hostPath: { path: '/' } }],
    terminationGracePeriodSeconds: 0,
    ...{ containers, ...more },
  })
  const metadata = (name: string) => ({ name, namespace, labels: { app: name } })
  const template = (name: string, containers: readonly object[], more: object = {}) => ({
    metadata: { labels: { app: name, 'example.org/empty': '' } },
    spec: spec(containers, more),
  })
  const selector = (name: string) => ({ matchLabels: { app: name } })
  // A process that goes into the namespaces of others stays what it is.
  const through = calls(`nsenter -t ${agents[0]?.process().pid} -m -n -u `)
  const privileged = (one: object) => ({ ...one, securityContext: { privileged: true } })
  return [
    {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: metadata('plain') },
      spec: spec([container('one'), container('two')], {
        initContainers: [container('setup', 'exit 0')],
      }),
    },
    {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: metadata('nethost') },
      spec: spec([privileged(container('main', 'exec sleep 3600', [...calls(), ...through]))], {
        ...{ hostNetwork: true, hostPID: true, hostIPC: true },
      }),
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata('web') },
      spec: { selector: selector('web'), template: template('web', [container('main')]) },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: metadata('each') },
      spec: { selector: selector('each'), template: template('each', [container('main')]) },
    },
    {
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: metadata('batch') },
      spec: { template: template('batch', [container('main')], { restartPolicy: 'Never' }) },
    },
  ]
}

type AllFound = Readonly<Record<keyof Agents, Found>>

/** @throws Error naming the containers that have not called yet */
function allFound(agents: Agents): AllFound {
  const all = {
    spire: byContainer(agents.spire),
    kubelet: byContainer(agents.kubelet),
    watch: byContainer(agents.watch),
  }
  for (const [kind, found] of Object.entries(all)) {
    const missing = CONTAINERS.filter((container) => !found.has(container))
    if (missing.length > 0) throw new Error(`${kind} was not called by ${missing.join(', ')}`)
  }
  return all
}

function byContainer(agent: Agent): Found {
  const found = new Map<string, readonly string[]>()
  for (const { selectors } of readAttested(agent.process().output(), 'k8s')) {
    const after = (name: string) =>
      selectors.find((one) => one.startsWith(`k8s:${name}:`))?.slice(name.length + 5)
    if (after('ns') !== NAMESPACE) continue
    const name = `${after('pod-label:app')}/${after('container-name')}`
    // The second call of the host's pod came from within the namespaces of another process.
    found.set(found.has(name) ? `${name} through another namespace` : name, selectors)
  }
  return found
}

function compare({ spire, kubelet, watch }: AllFound): void {
  for (const container of CONTAINERS) {
    const wanted = spire.get(container) ?? []
    for (const [kind, found] of Object.entries({ kubelet, watch })) {
      const selectors = found.get(container) ?? []
      if (isDeepStrictEqual(selectors, wanted)) continue
      const missing = wanted.filter((one) => !selectors.includes(one))
      const surplus = selectors.filter((one) => !wanted.includes(one))
      throw new Error(
        `${container} by ${kind} lacks ${missing.join(', ') || 'nothing'} and has ${surplus.join(', ') || 'nothing'} that SPIRE has not`,
      )
    }
    for (const wish of ['k8s:ns-label:team:shop', 'k8s:node-name:', 'k8s:container-image:']) {
      if (wanted.some((one) => one.startsWith(wish))) continue
      throw new Error(`${container} has no selector ${wish}: ${wanted.join(', ')}`)
    }
  }
}

function count(found: Found): number {
  return CONTAINERS.reduce((sum, container) => sum + (found.get(container)?.length ?? 0), 0)
}
