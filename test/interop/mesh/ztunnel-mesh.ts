/**
 * A mesh of a real ztunnel and us: the pods `web` and `db` are served by ztunnel, `orders` by our proxy; `stranger` is told to
 * ztunnel as one of its pods, though it runs on another node; `alone` has a ztunnel of its own. Our server is the CA of all.
 */
import {
  type Agent,
  type Server,
  startAgent,
  startServer,
  steeple,
} from '../../processes/cluster.ts'
import { freePort } from '../../processes/free-port.ts'
import { type Kubernetes, startKubernetes } from '../../processes/kubernetes.ts'
import { type Pods, startIn, startPods } from '../../processes/netns.ts'
import { run, until } from '../../processes/process.ts'
import { giveIdentity, type RunningProxy, startProxy } from '../../processes/proxy.ts'
import { createMeshPod, type MeshPod, tokenOf } from './mesh-pods.ts'
import { backend, ECHO_PORT, HTTP_PORT } from './pod-programs.ts'
import { startZtunnel, type Ztunnel } from './ztunnel.ts'

const CA_NAME = 'istiod.istio-system.svc'
const NODE = 'node1'
/** Long enough to be taken by anybody, short enough to be renewed while a test waits. */
const TTL_SECONDS = 20
export const id = (account: string) => `spiffe://example.org/ns/shop/sa/${account}`

export type Pod = 'web' | 'db' | 'stranger' | 'orders' | 'alone'

export interface ZtunnelMesh {
  readonly server: Server
  readonly pods: Pods<'node' | Pod>
  /** Of the node. */
  readonly ztunnel: Ztunnel
  /** Of the pod `alone`. */
  readonly alone: Ztunnel
  readonly orders: RunningProxy
}

/** Of our proxy: who may call it, and at which port. */
export const callers = (...ports: readonly number[]) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web", "example.org/ns/shop/sa/db"] } }]
      to: [{ operation: { ports: [${ports.map((port) => `"${port}"`).join(', ')}] } }]
`
/** Of ztunnel, in the form of its file: the same for those whom our proxy speaks for. */
const rules = [
  {
    ...{ name: 'callers', namespace: 'shop', scope: 'Namespace', action: 'Allow', dryRun: false },
    rules: [
      [
        [{ serviceAccounts: [{ namespace: 'shop', serviceAccount: 'orders' }] }],
        [{ destinationPorts: [HTTP_PORT, ECHO_PORT] }],
      ],
    ],
  },
]

/** @param stack takes all that is started */
export async function startZtunnelMesh(stack: AsyncDisposableStack): Promise<ZtunnelMesh> {
  const kubernetes = stack.use(await startKubernetes())
  const pods = stack.use(await startPods(['node', 'web', 'db', 'stranger', 'orders', 'alone']))
  const caPort = await freePort()
  const server = stack.use(await startServer('steeple', { blocks: meshOf(kubernetes, caPort) }))
  const caRoot = await server.bundleFile()
  const agent = stack.use(await startAgent('steeple', server))
  await giveIdentity(server, agent, '/ns/shop/sa/orders')

  const { ofZtunnel, ofAlone } = await createPods(kubernetes)
  await until('the pods to be known', async () => (await meshStatus(server)).clusters[0].ready)
  for (const pod of ['web', 'db', 'orders', 'alone'] as const) {
    await stack.use(startIn(pods.netns(pod), [process.execPath, '-e', backend])).line(/ready/)
  }
  const orders = stack.use(await startOrders(agent, pods))
  const workload = (name: Pod, isServed: boolean) => ({
    ...{ namespace: 'shop', name, account: name, ip: pods.ip(name), node: NODE },
    ...(isServed ? { netnsPath: pods.netnsPath(name) } : { node: 'elsewhere' }),
  })
  const common = {
    ...{ node: NODE, policies: rules, caPort, caRoot, caName: CA_NAME, ttlSeconds: TTL_SECONDS },
    workloads: [
      ...(['web', 'db', 'stranger'] as const).map((name) => workload(name, true)),
      ...(['orders', 'alone'] as const).map((name) => workload(name, false)),
    ],
  }
  const ztunnel = stack.use(
    await startZtunnel({
      ...{ ...common, netns: pods.netns('node') },
      tokenPath: await tokenOf(kubernetes, ofZtunnel, 'istio-ca'),
    }),
  )
  const alone = stack.use(
    await startZtunnel({
      ...{ ...common, netns: pods.netns('alone'), onlyOf: workload('alone', false) },
      tokenPath: await tokenOf(kubernetes, ofAlone, 'istio-ca'),
    }),
  )
  for (const pod of ['web', 'db', 'stranger', 'orders'] as const)
    await redirect(pods.netnsPath(pod))
  return { server, pods, ztunnel, alone, orders }
}

async function createPods(
  kubernetes: Kubernetes,
): Promise<{ readonly ofZtunnel: MeshPod; readonly ofAlone: MeshPod }> {
  const onNode = (namespace: string, account: string, node = NODE) =>
    createMeshPod(kubernetes, { namespace, account, node, name: account })
  const ofZtunnel = await onNode('istio-system', 'ztunnel')
  await Promise.all([onNode('shop', 'web'), onNode('shop', 'db')])
  await onNode('shop', 'stranger', 'node2')
  return { ofZtunnel, ofAlone: await onNode('shop', 'alone', 'node2') }
}

function startOrders(agent: Agent, pods: Pods<Pod>): Promise<RunningProxy> {
  const settings = `
    hbone { listen = "[::]:15008" }
    capture {}
    workload { tcp_ports = [${ECHO_PORT}] }
    connect_timeout = "3s"
    destination "db" { addresses = ["${pods.ip('db')}"]  authorize = ["${id('db')}"] }
    destination "alone" { addresses = ["${pods.ip('alone')}"]  authorize = ["${id('alone')}"] }
    destination "web" { addresses = ["${pods.ip('web')}"]  authorize = ["${id('somebody-else')}"] }`
  return startProxy(agent, {
    ...{ settings, policies: { 'callers.yaml': callers(HTTP_PORT, ECHO_PORT) } },
    netns: pods.netns('orders'),
  })
}

const meshOf = ({ kubeconfig }: Kubernetes, port: number) => `mesh { istio_ca {
  bind_address = "127.0.0.1"  bind_port = "${port}"
  clusters = { "Kubernetes" = { kube_config_file = "${kubeconfig}" } }
} }`

/** By our own rules, which are those that ztunnel expects. */
async function redirect(netnsPath: string): Promise<void> {
  const words = ['proxy', 'rules', '-apply', '-netns', netnsPath]
  const { code, stderr } = await run(steeple, words)
  if (code !== 0) throw new Error(stderr)
}

/** What the server tells of its Istio CA. */
export async function meshStatus(server: Server) {
  const { code, stdout, stderr } = await server.cli('steeple', 'mesh', 'status', '-output', 'json')
  if (code !== 0) throw new Error(`${stdout}${stderr}`)
  return JSON.parse(stdout).istio_ca
}
