/**
 * Registration from Kubernetes: thousands of pods that are there already, and pods that are created one after another,
 * until the server has their entries. The API server is real; there is no kubelet. Beside it, where it is installed,
 * SPIRE's server with spire-controller-manager on the same objects.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { credentials } from '@grpc/grpc-js'
import type { Cluster } from '../kubernetes/cluster.ts'
import { openCluster } from '../kubernetes/open-cluster.ts'
import { statusOf } from '../kubernetes/status.ts'
import { entryApi } from '../proto/load.ts'
import { systemClock } from '../spiffe/clock.ts'
import { type Kind, type Server, startServer } from '../test/processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../test/processes/kubernetes.ts'
import { start } from '../test/processes/process.ts'
import { inMs, spread } from './percentiles.ts'

const MANY = 5_000
const ONE_BY_ONE = 100
/** Upstream needs longer for each, so fewer tell enough. */
const ONE_BY_ONE_UPSTREAM = 20
const NODES = 50
const NAMESPACES = 10
const AT_ONCE = 16
const PAUSE_MS = 2
/** Between two pods: what comes closely behind another one is gathered, which is not what is measured here. */
const APART_MS = 100

const TEMPLATE =
  'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}'

const pod = (namespace: string, name: string, at: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: `app-${at % 100}`, 'pod-template-hash': `${at}` } },
  spec: {
    nodeName: `node-${at % NODES}`,
    serviceAccountName: 'default',
    automountServiceAccountToken: false,
    containers: [{ name: 'main', image: 'registry.example/shop/cart:1.2' }],
  },
})

const RESOURCES = '/apis/spire.spiffe.io/v1alpha1/clusterspiffeids'

const namespaceOf = (at: number) => `load-${at % NAMESPACES}`

async function create(cluster: Cluster, path: string, body: unknown): Promise<void> {
  try {
    await cluster.request({ method: 'POST', path, body })
  } catch (error) {
    if (statusOf(error) !== 409) throw error
  }
}

async function all(count: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let at = next++; at < count; at = next++) await work(at)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

function counter(server: Server) {
  const client = new (entryApi())(`unix:${server.socket}`, credentials.createInsecure())
  return () =>
    new Promise<number>((resolve, reject) => {
      client.CountEntries({}, (error, reply) =>
        error === null ? resolve(reply?.count ?? 0) : reject(error),
      )
    })
}

async function until(isThere: () => Promise<boolean>): Promise<void> {
  while (!(await isThere())) await systemClock.sleep(PAUSE_MS)
}

async function fill(cluster: Cluster): Promise<void> {
  const meta = (name: string) => ({ metadata: { name } })
  await all(NODES, (at) =>
    create(cluster, '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', ...meta(`node-${at}`) }),
  )
  await all(NAMESPACES, async (at) => {
    const name = namespaceOf(at)
    await create(cluster, '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      ...meta(name),
    })
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', ...meta('default') }
    await create(cluster, `/api/v1/namespaces/${name}/serviceaccounts`, account)
  })
  await all(MANY, (at) =>
    create(
      cluster,
      `/api/v1/namespaces/${namespaceOf(at)}/pods`,
      pod(namespaceOf(at), `p-${at}`, at),
    ),
  )
}

/** Of the process itself; `steeple` replaces itself by Node. */
function rssMb(pid: number): number {
  const [, kb = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kb) / 1024)
}

const peers = join(env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')
const upstreamProgram = join(peers, 'spire-controller-manager')

export async function benchRegistration(): Promise<void> {
  await using kubernetes = await startKubernetes()
  using cluster = await openCluster({ kubeconfig: kubernetes.kubeconfig })
  await kubernetes.mustKubectl(['apply', '-f', 'deploy/crds'])
  await kubernetes.mustKubectl(['wait', '--for=condition=Established', 'crd', '--all'])
  await fill(cluster)
  console.log(`registration   ${MANY} pods on ${NODES} nodes, ${NAMESPACES} namespaces`)
  await measure('steeple', kubernetes, cluster, ONE_BY_ONE)
  if (existsSync(upstreamProgram)) await measure('spire', kubernetes, cluster, ONE_BY_ONE_UPSTREAM)
  else console.log('registration   spire-controller-manager is not installed: nothing beside it')
}

/** Each kind has resources of its own class, so that they do not write each other's statuses. */
async function measure(
  kind: Kind,
  kubernetes: Kubernetes,
  cluster: Cluster,
  rounds: number,
): Promise<void> {
  await using running = await launch(kind, kubernetes)
  const count = counter(running.server)
  const idleMb = rssMb(running.pid())
  const declared = performance.now()
  await create(cluster, RESOURCES, {
    apiVersion: 'spire.spiffe.io/v1alpha1',
    kind: 'ClusterSPIFFEID',
    metadata: { name: kind },
    spec: { spiffeIDTemplate: TEMPLATE, className: kind },
  })
  await until(async () => (await count()) >= MANY)
  const seconds = ((performance.now() - declared) / 1_000).toFixed(2)
  const memory = `RSS ${idleMb} MB → ${rssMb(running.pid())} MB`
  console.log(`registration   ${kind.padEnd(8)} ${MANY} entries in ${seconds} s, ${memory}`)
  const times: number[] = []
  const before = await count()
  for (let at = 0; at < rounds; at += 1) {
    const from = performance.now()
    const name = `${kind}-${at}`
    await create(cluster, '/api/v1/namespaces/load-0/pods', pod('load-0', name, at))
    await until(async () => (await count()) > before + at)
    times.push(performance.now() - from)
    await systemClock.sleep(APART_MS)
  }
  console.log(`pod to entry   ${kind.padEnd(8)} ${inMs(spread(times))}`)
}

interface Launched extends AsyncDisposable {
  readonly server: Server
  /** Of the process that follows the cluster. */
  pid(): number
}

async function launch(kind: Kind, kubernetes: Kubernetes): Promise<Launched> {
  if (kind === 'steeple') {
    const server = await startServer('steeple', {
      blocks: `controller_manager {
        cluster_name = "load"  kube_config_file = "${kubernetes.kubeconfig}"  class_name = "steeple"
        leader_election { leader_elect = false }
      }`,
    })
    return {
      server,
      pid: () => server.process().pid,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  }
  const server = await startServer('spire')
  const config = join(kubernetes.dir, 'controller-manager.yaml')
  const settings = {
    ...{ apiVersion: 'spire.spiffe.io/v1alpha1', kind: 'ControllerManagerConfig' },
    ...{ clusterName: 'load', clusterDomain: 'cluster.local', trustDomain: server.trustDomain },
    ...{ spireServerSocketPath: server.socket, className: 'spire', metrics: { bindAddress: '0' } },
    health: { healthProbeBindAddress: '0' },
  }
  writeFileSync(config, JSON.stringify(settings))
  const manager = start(upstreamProgram, ['-config', config], {
    env: { KUBECONFIG: kubernetes.kubeconfig, ENABLE_WEBHOOKS: 'false' },
  })
  await manager.line(/Starting workers/)
  return {
    server,
    pid: () => manager.pid,
    async [Symbol.asyncDispose]() {
      await manager[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
