/**
 * The chart with what other meshes need of it: the port of the Istio CA in the server's Service, by whose name proxies in pods
 * get their certificates, and the agent's socket of delegates on the node, where one gets the identities of others by their
 * selectors. Who is no delegate gets none, and the doctor finds nothing wrong.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { untilHealthy } from '../healthy-chart.ts'
import { STORAGE_CLASS, upgradeChart } from '../install-chart.ts'
import { clusterSpiffeId } from '../peers-in-pods.ts'
import { peersBin } from '../real-cluster.ts'
import { askServer } from '../server-in-pod.ts'
import type { Story, StoryContext } from '../story.ts'

const NAME = 'stories-meshes'
const ADMIN_DIR = '/run/steeple-stories/admin'
const ISTIO_PORT = 15012
const TOKENS = '/mesh-tokens'
const SELECTOR = 'cilium:mutual-auth'
const PROTO = join(import.meta.dirname, '..', '..', '..', 'proto')
const PATIENCE_MS = 90_000

export const story: Story = {
  title:
    'proxies in pods get certificates by the Service of the chart, and a delegate identities by a socket of its node',
  needs: 'chart',
  async run(context) {
    for (const program of ['mesh-client', 'grpcurl']) {
      if (!existsSync(join(peersBin, program)))
        context.skip(`run test/interop/peers install ${program}`)
    }
    const { cluster, image, mustKubectl } = context
    const namespace = await context.namespace(NAME, { story: NAME })
    context.afterwards(async () => rmSync(ADMIN_DIR, { recursive: true, force: true }))
    context.afterwards(() => upgradeChart(cluster, image, {}))
    await upgradeChart(cluster, image, values(context, namespace))
    context.afterwards(() => mustKubectl(['delete', 'clusterspiffeid', NAME, '--ignore-not-found']))
    await context.apply(
      clusterSpiffeId(context, NAME, {
        spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/meshes/{{ .PodSpec.ServiceAccountName }}',
        namespaceSelector: { matchLabels: { story: NAME } },
      }),
      ...['cart', 'ztunnel', 'delegate', 'stranger'].flatMap((name) => podOf(namespace, name)),
    )
    for (const name of ['cart', 'ztunnel', 'delegate', 'stranger']) {
      const wait = ['--for=condition=Ready', '--timeout=90s']
      await mustKubectl(['wait', '-n', namespace, `pod/${name}`, ...wait])
    }
    await istioByService(context, namespace)
    const identities = await delegateOnNode(context, namespace)
    await untilHealthy(context)
    return `${identities} identities for the delegate`
  },
}

/** The name that proxies call, and that the serving certificate has. */
const serviceOf = ({ chart }: StoryContext) => `${chart.release}-server.${chart.namespace}.svc`

function values(context: StoryContext, namespace: string): object {
  const { chart } = context
  const delegates = [`spiffe://${chart.trustDomain}/meshes/delegate`]
  return {
    server: {
      persistence: { storageClass: STORAGE_CLASS },
      service: {
        extraPorts: [{ name: 'istio-ca', port: ISTIO_PORT, containerPort: ISTIO_PORT }],
      },
      config: {
        mesh: {
          istio_ca: {
            clusters: { Kubernetes: {} },
            dns_names: [serviceOf(context)],
            trusted_node_accounts: [`${namespace}/ztunnel`],
          },
        },
      },
    },
    agent: {
      ...{ socketDir: chart.socketDir, adminSocketDir: ADMIN_DIR },
      config: { agent: { authorized_delegates: delegates } },
    },
  }
}

/** A service account and a pod of it that waits to be entered; it can see the host, where the programs are. */
function podOf(namespace: string, name: string): readonly object[] {
  const token = { path: 'istio', audience: 'istio-ca', expirationSeconds: 600 }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
      spec: {
        ...{ serviceAccountName: name, terminationGracePeriodSeconds: 0 },
        containers: [
          {
            ...{ name: 'main', image: 'localhost/workload:1', imagePullPolicy: 'Never' },
            command: ['sleep', '3600'],
            volumeMounts: [
              { name: 'host', mountPath: '/host' },
              { name: 'tokens', mountPath: TOKENS },
            ],
          },
        ],
        volumes: [
          { name: 'host', hostPath: { path: '/' } },
          { name: 'tokens', projected: { sources: [{ serviceAccountToken: token }] } },
        ],
      },
    },
  ]
}

/** A sidecar for itself, a ztunnel for a pod of its node, and nobody else for others. */
async function istioByService(context: StoryContext, namespace: string): Promise<void> {
  const { chart, mustKubectl } = context
  const dir = mkdtempSync(join(tmpdir(), 'meshes-'))
  context.afterwards(async () => rmSync(dir, { recursive: true, force: true }))
  const root = join(dir, 'root.pem')
  const bundle = ['get', 'configmap', '-n', chart.namespace, `${chart.release}-bundle`]
  writeFileSync(root, await mustKubectl([...bundle, '-o', 'jsonpath={.data.bundle\\.crt}']))
  const service = serviceOf(context)
  const id = (account: string) => `spiffe://${chart.trustDomain}/ns/${namespace}/sa/${account}`
  const ask = async (from: string, kind: string, ...flags: readonly string[]) => {
    const command = [
      ...[join('/host', peersBin, 'mesh-client'), kind, `-address=${service}:${ISTIO_PORT}`],
      ...[`-server-name=${service}`, `-root=/host${root}`, `-token=${TOKENS}/istio`],
      ...['-cluster=Kubernetes', ...flags],
    ]
    const printed = await mustKubectl(['exec', '-n', namespace, from, '--', ...command])
    const outcome: { chain?: readonly string[]; message?: string } = JSON.parse(printed)
    return outcome
  }
  const own = await ask('cart', 'istio-agent', `-identity=${id('cart')}`)
  if (own.chain?.length !== 2) throw new Error(`a sidecar got no chain: ${JSON.stringify(own)}`)
  const wanted = [`-identity=${id('cart')}`, `-impersonate=${id('cart')}`]
  const others = await ask('ztunnel', 'ztunnel', ...wanted)
  if (others.chain?.length !== 2)
    throw new Error(`a ztunnel got no chain: ${JSON.stringify(others)}`)
  const refused = await ask('stranger', 'ztunnel', ...wanted)
  if (refused.chain !== undefined) throw new Error('a stranger got the identity of another')
  const status = await askServer(context, 'mesh', 'status')
  if (!status.includes(`${namespace}/stranger is not trusted`)) {
    throw new Error(`mesh status does not tell of the stranger:\n${status}`)
  }
}

/** Identities that no process has, by a selector of the delegate's own. @returns how many it got */
async function delegateOnNode(context: StoryContext, namespace: string): Promise<number> {
  const { chart, kubectl, mustKubectl, until } = context
  const node = await mustKubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.uid}'])
  const parent = `spiffe://${chart.trustDomain}/spire/agent/k8s_psat/${chart.clusterName}/${node}`
  const paths = ['/identity/1', '/identity/2']
  for (const path of paths) {
    const ids = ['-spiffeID', `spiffe://${chart.trustDomain}${path}`, '-parentID', parent]
    // Not of the controller's, which begin with the name of the cluster and a dot: it would remove them.
    const entry = ['-entryID', `meshes-by-chart${path.replaceAll('/', '.')}`]
    await askServer(context, 'entry', 'create', ...ids, ...entry, '-selector', SELECTOR)
    context.afterwards(() => askServer(context, 'entry', 'delete', ...entry))
  }
  const [type = '', value = ''] = SELECTOR.split(':')
  const asked = JSON.stringify({ selectors: [{ type, value }] })
  const service = 'spire.api.agent.delegatedidentity.v1.DelegatedIdentity'
  const subscribe = async (from: string) => {
    const grpcurl = [
      ...[join(peersBin, 'grpcurl'), '-plaintext', '-max-time', '5', '-d', asked],
      ...['-import-path', PROTO, '-proto', PROTO_FILE],
      ...[`unix://${join(ADMIN_DIR, 'admin.sock')}`, `${service}/SubscribeToX509SVIDs`],
    ]
    const words = ['exec', '-n', namespace, from, '--', 'chroot', '/host', ...grpcurl]
    const { stdout, stderr } = await kubectl(words) // its time always runs out: the stream has no end
    return { stdout, stderr }
  }
  await until(
    'the delegate to have both identities',
    async () => {
      const { stdout, stderr } = await subscribe('delegate')
      if (paths.every((path) => stdout.includes(`"${path}"`))) return true
      throw new Error(`it has ${stdout.length} bytes: ${stderr}`)
    },
    PATIENCE_MS,
  )
  const { stdout, stderr } = await subscribe('stranger')
  if (stdout !== '' || !/PermissionDenied/.test(stderr)) {
    throw new Error(`who is no delegate was not refused: ${stdout.length} bytes, ${stderr}`)
  }
  return paths.length
}

const PROTO_FILE = 'spire/api/agent/delegatedidentity/v1/delegated_identity.proto'
