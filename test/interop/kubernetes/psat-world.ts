/**
 * Two real API servers, a real spire-server and one of ours with the very same k8s_psat configuration, and tokens of
 * every kind. There are no kubelets: nodes and pods are objects, which is all that the servers look at.
 */
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { type Kind, type Server, startServer } from '../../processes/cluster.ts'
import { freePort } from '../../processes/free-port.ts'
import { type Kubernetes, startKubernetes } from '../../processes/kubernetes.ts'

export interface PsatWorld extends AsyncDisposable {
  readonly main: Kubernetes
  readonly second: Kubernetes
  readonly ours: Server
  readonly spire: Server
}

export const AUDIENCE = 'spire-server'

export async function openPsatWorld(): Promise<PsatWorld> {
  await using stack = new AsyncDisposableStack()
  const open = async () => {
    const kubernetes = stack.use(await startKubernetes())
    await populate(kubernetes)
    return kubernetes
  }
  const [main, second] = await Promise.all([open(), open()])
  const plugin = { nodeAttestor: await configuration(main, second) }
  const start = async (kind: Kind) => stack.use(await startServer(kind, plugin))
  const [ours, spire] = await Promise.all([start('steeple'), start('spire')])
  const all = stack.move()
  return { main, second, ours, spire, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** @returns one plugin with a cluster of each kind, those that are not there included */
async function configuration(main: Kubernetes, second: Kubernetes): Promise<string> {
  const away = join(main.dir, 'away.kubeconfig')
  const address = `https://127.0.0.1:${await freePort()}`
  writeFileSync(away, readFileSync(main.kubeconfig, 'utf8').replace(/https:[^"]+/, address))
  const cluster = (name: string, kubeconfig: string, more = '') => `"${name}" = {
      service_account_allow_list = ["agents:agent", "agents:second-agent"]
      kube_config_file = "${kubeconfig}"
      ${more}
    }`
  return `NodeAttestor "k8s_psat" { plugin_data { clusters = {
    ${cluster('main', main.kubeconfig, 'allowed_node_label_keys = ["zone"] allowed_pod_label_keys = ["app", "team"]')}
    ${cluster('pods', main.kubeconfig, 'use_pod_uid_for_agent_id = true')}
    ${cluster('own-audience', main.kubeconfig, 'audience = []')}
    ${cluster('audiences', main.kubeconfig, `audience = ["other", "${AUDIENCE}"]`)}
    ${cluster('second', second.kubeconfig)}
    ${cluster('least-rights', await kubeconfigOf(main, 'server'))}
    ${cluster('blind', await kubeconfigOf(main, 'blind-server'))}
    ${cluster('powerless', await kubeconfigOf(main, 'workload'))}
    ${cluster('away', away)}
    ${cluster('lost', join(main.dir, 'no-such-kubeconfig'))}
  } } }`
}

/** Of a service account, with the rights that `populate` gave it. */
async function kubeconfigOf(kubernetes: Kubernetes, serviceAccount: string): Promise<string> {
  const path = join(kubernetes.dir, `${serviceAccount}.kubeconfig`)
  const token = await kubernetes.token('agents', serviceAccount)
  const admins = readFileSync(kubernetes.kubeconfig, 'utf8')
  writeFileSync(path, admins.replace(/token: "[^"]+"/, `token: "${token}"`))
  return path
}

async function populate(kubernetes: Kubernetes): Promise<void> {
  const named = (kind: string, name: string, more: object = {}) => ({
    ...{ apiVersion: 'v1', kind, metadata: { name, namespace: 'agents', ...more } },
  })
  const rule = (apiGroup: string, resources: readonly string[], verb: string) => ({
    ...{ apiGroups: [apiGroup], resources, verbs: [verb] },
  })
  const reviews = rule('authentication.k8s.io', ['tokenreviews'], 'create')
  const accounts = ['agent', 'second-agent', 'workload', 'server', 'blind-server']
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'agents' } },
    ...accounts.map((name) => named('ServiceAccount', name)),
    ...grant('server', [reviews, rule('', ['pods', 'nodes'], 'get')]),
    ...grant('blind-server', [reviews, rule('', ['pods'], 'get')]),
    ...['node1', 'node2'].map((name) =>
      named('Node', name, { labels: { zone: 'a', disk: 'ssd' } }),
    ),
  ]
  await kubernetes.mustKubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  )
}

function grant(name: string, rules: readonly object[]): readonly object[] {
  const apiGroup = 'rbac.authorization.k8s.io'
  const meta = { apiVersion: `${apiGroup}/v1`, metadata: { name } }
  const subjects = [{ kind: 'ServiceAccount', namespace: 'agents', name }]
  return [
    { ...meta, kind: 'ClusterRole', rules },
    {
      ...meta,
      kind: 'ClusterRoleBinding',
      subjects,
      roleRef: { apiGroup, kind: 'ClusterRole', name },
    },
  ]
}

export interface PodOptions {
  readonly name: string
  /** Undefined: not scheduled. */
  readonly node?: string | undefined
  readonly serviceAccount?: string
}

/** @returns the UID of the new pod */
export async function createPod(
  { mustKubectl }: Kubernetes,
  { name, node, serviceAccount = 'agent' }: PodOptions,
): Promise<string> {
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name, namespace: 'agents', labels: { app: name, tier: 'x' } },
    spec: {
      ...{ serviceAccountName: serviceAccount, containers: [{ name: 'c', image: 'localhost/c' }] },
      ...(node === undefined ? {} : { nodeName: node }),
    },
  }
  const created = ['create', '-f', '-', '-o', 'jsonpath={.metadata.uid}']
  const uid = await mustKubectl(created, JSON.stringify(pod))
  const status = JSON.stringify({
    status: { hostIP: '192.0.2.1', hostIPs: [{ ip: '192.0.2.1' }] },
  })
  const patch = ['patch', 'pod', '-n', 'agents', name, '--subresource=status', '--type=merge']
  await mustKubectl([...patch, '-p', status])
  return uid
}

export async function deletePod({ mustKubectl }: Kubernetes, name: string): Promise<void> {
  await mustKubectl(['delete', 'pod', '-n', 'agents', name, '--grace-period=0', '--force'])
}

/** A token as the kubelet would project it into this pod. */
export async function podToken(
  kubernetes: Kubernetes,
  pod: string,
  serviceAccount = 'agent',
  audience = AUDIENCE,
): Promise<string> {
  const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', pod]
  return await kubernetes.token('agents', serviceAccount, ['--audience', audience, ...bound])
}

/** Who the claims name, signed with the key of this cluster: what only its API server can do. */
export function forgeToken(
  { dir }: Pick<Kubernetes, 'dir'>,
  claims: Readonly<Record<string, unknown>>,
  now: Date,
): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = {
    ...{ iss: 'https://kubernetes.default.svc.cluster.local', aud: [AUDIENCE], jti: randomUUID() },
    ...{ iat: unixSeconds(now) - 10, nbf: unixSeconds(now) - 10, exp: unixSeconds(now) + 600 },
    ...claims,
  }
  const signed = `${encode({ alg: 'RS256' })}.${encode(body)}`
  const key = createPrivateKey(readFileSync(join(dir, 'sa.key')))
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
}
