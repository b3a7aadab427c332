/**
 * Pods with tokens that their kubelet projected ask our Istio CA and our Linkerd identity service, by a program that does
 * what the proxies of these meshes do: who is on the node of a ztunnel is impersonated, and nobody else is.
 */

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Server, startServer } from '../../processes/cluster.ts'
import { freePort } from '../../processes/free-port.ts'
import type { Story, StoryContext } from '../story.ts'

const client = join(
  process.env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'),
  'bin',
  'mesh-client',
)
const DNS_NAME = 'istiod.istio-system.svc'
const IMPERSONATION = 'request impersonation authentication failure'
const TOKENS = '/mesh-tokens'
const PATIENCE_MS = 90_000

interface Outcome {
  readonly chain?: readonly string[]
  readonly code?: string
  readonly message?: string
}

export const story: Story = {
  title:
    'proxies in pods get mesh certificates by their projected tokens, for their node’s pods alone',
  needs: 'cluster',
  async run(context) {
    if (!existsSync(client)) context.skip('run test/interop/peers install mesh-client')
    const namespace = await context.namespace('mesh-issuance')
    const nowhere = await elsewhere(context)
    const accounts = ['ztunnel', 'cart', 'far', 'both', 'failed', 'stranger']
    await context.apply(
      ...accounts.map((name) => ({
        ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      })),
    )
    const [istioPort, linkerdPort] = [await freePort(), await freePort()]
    await using server = await startServer('steeple', {
      blocks: blocks(context, namespace, istioPort, linkerdPort),
    })
    const root = await server.bundleFile()
    await context.apply(
      pod(namespace, 'ztunnel', 'ztunnel'),
      pod(namespace, 'cart', 'cart'),
      pod(namespace, 'both', 'both'),
      pod(namespace, 'stranger', 'stranger'),
      pod(namespace, 'failed', 'failed', { command: ['false'] }),
      pod(namespace, 'far', 'far', { nodeName: nowhere }),
      pod(namespace, 'both-elsewhere', 'both', { nodeName: nowhere }),
    )
    for (const name of ['ztunnel', 'cart', 'both', 'stranger'])
      await running(context, namespace, name)
    const phase = () =>
      context.mustKubectl([
        'get',
        'pod',
        '-n',
        namespace,
        'failed',
        '-o',
        'jsonpath={.status.phase}',
      ])
    await context.until('the pod to fail', async () => (await phase()) === 'Failed', PATIENCE_MS)

    const asks = proxiesOf({ context, namespace, root, istioPort, linkerdPort })
    const id = (account: string) => `spiffe://example.org/ns/${namespace}/sa/${account}`
    for (const account of ['cart', 'both'])
      expectChain(await asks.ztunnel('ztunnel', id(account)), account)
    for (const [from, identity, check, why] of [
      ['ztunnel', id('far'), 'node', `no pod of ${namespace}/far is on node`],
      ['ztunnel', id('nobody'), 'node', `no pod of ${namespace}/nobody is on node`],
      ['ztunnel', id('failed'), 'node', `no pod of ${namespace}/failed is on node`],
      ['ztunnel', 'spiffe://other.org/ns/a/sa/b', 'identity', 'is of trust domain other.org'],
      ['stranger', id('cart'), 'node-account', `${namespace}/stranger is not trusted`],
    ] as const) {
      const { message } = await asks.ztunnel(from, identity)
      const seen = await lastRefusal(server)
      if (message === IMPERSONATION && seen.check === check && seen.reason.includes(why)) continue
      throw new Error(`${from} for ${identity}: ${message}, ${JSON.stringify(seen)}`)
    }
    expectChain(await asks.agent('cart', id('cart')), 'a sidecar')
    const name = `cart.${namespace}.serviceaccount.identity.linkerd.cluster.local`
    expectChain(await asks.linkerd('cart', name), 'a Linkerd proxy')
    const others = await asks.linkerd('stranger', name)
    if (others.code !== 'FailedPrecondition')
      throw new Error(`a stranger: ${JSON.stringify(others)}`)

    // A ztunnel that is replaced goes on with the token of its new pod.
    await context.mustKubectl([
      'delete',
      'pod',
      '-n',
      namespace,
      'ztunnel',
      '--grace-period=0',
      '--force',
      '--wait',
    ])
    await context.apply(pod(namespace, 'ztunnel', 'ztunnel'))
    await running(context, namespace, 'ztunnel')
    expectChain(await asks.ztunnel('ztunnel', id('cart')), 'the new ztunnel')
    return undefined
  },
}

function blocks(
  { cluster: { kubeconfig } }: StoryContext,
  namespace: string,
  istioPort: number,
  linkerdPort: number,
): string {
  return `mesh {
    istio_ca {
      bind_address = "127.0.0.1"  bind_port = "${istioPort}"
      clusters = { "Kubernetes" = { kube_config_file = "${kubeconfig}" } }
      trusted_node_accounts = ["${namespace}/ztunnel"]
    }
    linkerd {
      bind_address = "127.0.0.1"  bind_port = "${linkerdPort}"  kube_config_file = "${kubeconfig}"
      accept_api_server_tokens = false
    }
  }`
}

/** A node that nobody runs. @returns its name */
async function elsewhere({ apply, mustKubectl, afterwards }: StoryContext): Promise<string> {
  const name = 'mesh-issuance-elsewhere'
  await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name } })
  afterwards(() => mustKubectl(['delete', 'node', name, '--ignore-not-found']))
  return name
}

interface PodOptions {
  readonly command?: readonly string[]
  readonly nodeName?: string
}

/** Its programs are the host’s; its tokens are those of the proxies of both meshes. */
function pod(
  namespace: string,
  name: string,
  serviceAccountName: string,
  { command = ['sleep', '3600'], nodeName }: PodOptions = {},
): object {
  const token = (path: string, audience: string) => ({
    serviceAccountToken: { path, audience, expirationSeconds: 600 },
  })
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } },
    spec: {
      ...{ serviceAccountName, hostNetwork: true, restartPolicy: 'Never' },
      ...(nodeName === undefined ? {} : { nodeName }),
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          ...{ name: 'proxy', image: 'localhost/workload:1', imagePullPolicy: 'Never', command },
          volumeMounts: [
            { name: 'bin', mountPath: '/peers', readOnly: true },
            { name: 'tmp', mountPath: '/tmp', readOnly: true },
            { name: 'tokens', mountPath: TOKENS },
          ],
        },
      ],
      volumes: [
        { name: 'bin', hostPath: { path: join(client, '..') } },
        { name: 'tmp', hostPath: { path: '/tmp' } },
        {
          name: 'tokens',
          projected: { sources: [token('istio', 'istio-ca'), token('linkerd', 'identity.l5d.io')] },
        },
      ],
    },
  }
}

async function running(
  { mustKubectl }: StoryContext,
  namespace: string,
  name: string,
): Promise<void> {
  const wait = ['wait', '-n', namespace, `pod/${name}`, '--for=condition=Ready', '--timeout=90s']
  await mustKubectl(wait)
}

function proxiesOf({
  context,
  namespace,
  root,
  istioPort,
  linkerdPort,
}: {
  readonly context: StoryContext
  readonly namespace: string
  readonly root: string
  readonly istioPort: number
  readonly linkerdPort: number
}) {
  const ask = async (from: string, kind: string, ...flags: readonly string[]): Promise<Outcome> => {
    const command = ['/peers/mesh-client', kind, `-root=${root}`, ...flags]
    return JSON.parse(await context.mustKubectl(['exec', '-n', namespace, from, '--', ...command]))
  }
  const istio = [
    ...[`-address=127.0.0.1:${istioPort}`, `-server-name=${DNS_NAME}`, `-token=${TOKENS}/istio`],
    '-cluster=Kubernetes',
  ]
  const linkerd = [
    ...[`-address=127.0.0.1:${linkerdPort}`, `-token=${TOKENS}/linkerd`],
    '-server-name=linkerd-identity.linkerd.serviceaccount.identity.linkerd.cluster.local',
  ]
  return {
    ztunnel: (from: string, identity: string) =>
      ask(from, 'ztunnel', ...istio, `-identity=${identity}`, `-impersonate=${identity}`),
    agent: (from: string, identity: string) =>
      ask(from, 'istio-agent', ...istio, `-identity=${identity}`),
    linkerd: (from: string, identity: string) =>
      ask(from, 'linkerd', ...linkerd, `-identity=${identity}`),
  }
}

async function lastRefusal(
  server: Server,
): Promise<{ readonly check: string; readonly reason: string }> {
  const { stdout } = await server.cli('steeple', 'mesh', 'status', '-output', 'json')
  return JSON.parse(stdout).istio_ca.tally.last_refusals[0]
}

function expectChain({ chain, code, message }: Outcome, whose: string): void {
  if (chain?.length === 2) return
  throw new Error(`${whose} got no chain: ${code} ${message}`)
}
