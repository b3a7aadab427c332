/**
 * Proxies that the webhook puts into pods of two namespaces, and policies applied with kubectl: from PERMISSIVE to STRICT, who
 * may call by service account, and which path nobody may; with a client in the mesh and one outside of it, and the kubelet, who
 * has no identity and whose probes pass.
 */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Agent, type Server, startAgent, startServer } from '../../processes/cluster.ts'
import { freePort } from '../../processes/free-port.ts'
import type { Story, StoryContext } from '../story.ts'
import { ask, load, plaintextCallers } from './policies/in-pod.ts'
import {
  type Application,
  mutatingWebhook,
  rights,
  service,
  servingPod,
  waitingPod,
} from './policies/objects.ts'

const CRDS = join(import.meta.dirname, '..', '..', '..', 'deploy', 'crds', 'istio-security.yaml')
const PATIENCE_MS = 120_000
const WEBHOOKS = 'policies-injection'

export const story: Story = {
  title:
    'injected proxies enforce what kubectl applies, and the kubelet’s probes pass under STRICT',
  needs: 'image',
  async run(context) {
    const root = await context.namespace('policies-root')
    const inject = { 'steeple.io/inject': 'enabled' }
    const shop = await context.namespace('policies-shop', inject)
    const web = await context.namespace('policies-web', inject)
    const outside = await context.namespace('policies-outside')
    await installDefinitions(context)
    await using server = await openServer(context, root)
    await using agent = await openAgent(context, server.server)
    await server.finish(agent, [shop, web])
    const pods = await startPods(context, { root, shop, web, outside })
    const figures = await enforce(context, { root, shop, web, outside, ...pods })
    return figures
  },
}

interface World {
  readonly root: string
  readonly shop: string
  readonly web: string
  readonly outside: string
}

/** Another's definitions of the same kinds are left as they are. */
async function installDefinitions(context: StoryContext): Promise<void> {
  const { code } = await context.kubectl(['get', 'crd', 'authorizationpolicies.security.istio.io'])
  if (code !== 0) {
    await context.mustKubectl(['apply', '-f', CRDS])
    context.afterwards(() => context.kubectl(['delete', '-f', CRDS, '--ignore-not-found']))
  }
  await context.mustKubectl(['wait', '--for=condition=Established', '-f', CRDS])
}

/** A server of this machine that the API server asks at a URL; the agent is known only later. */
async function openServer(context: StoryContext, root: string) {
  const port = await freePort()
  const { kubeconfig } = context.cluster
  // The agent comes after the server, so pods get a place that will lead to its socket.
  const dir = mkdtempSync(join(tmpdir(), 'policies-'))
  const socketDir = join(dir, 'sockets')
  const server: Server = await startServer('steeple', {
    // Every SVID is renewed while the story runs.
    settings: 'default_x509_svid_ttl = "1m"',
    blocks: `controller_manager {
      cluster_name = "policies"  kube_config_file = "${kubeconfig}"  class_name = "policies-story"
      leader_election { resource_namespace = "${root}" }
      mutating_webhook_configuration_name = "${WEBHOOKS}"
      webhook { host = "127.0.0.1"  port = "${port}" }
    }
    sidecar_injection {
      image = "${context.image}"  image_pull_policy = "Never"  root_namespace = "${root}"
      agent_socket_dir = "${socketDir}"  log_level = "DEBUG"  access_log = true
      mesh_addresses = ["198.18.0.0/24", "198.19.0.0/24"]
      plaintext_addresses = ["198.19.0.1", "198.19.0.10"]
    }
    policy_status { kube_config_file = "${kubeconfig}"  lease_namespace = "${root}"  root_namespace = "${root}" }`,
  })
  return {
    server,
    async finish(agent: Agent, namespaces: readonly string[]) {
      symlinkSync(dirname(agent.socket), socketDir)
      for (const namespace of namespaces) {
        for (const account of ['db', 'web', 'other'])
          await register(server, agent, namespace, account)
      }
      await context.apply(mutatingWebhook(WEBHOOKS, port, namespaces), ...rights(root, namespaces))
      context.afterwards(() =>
        context.kubectl(['delete', 'mutatingwebhookconfiguration', WEBHOOKS, '--ignore-not-found']),
      )
      await context.until('the webhook to have the bundle', async () => {
        const words = ['get', 'mutatingwebhookconfiguration', WEBHOOKS, '-o']
        const bundle = 'jsonpath={.webhooks[0].clientConfig.caBundle}'
        return (await context.mustKubectl([...words, bundle])) !== ''
      })
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }
}

async function register(server: Server, agent: Agent, namespace: string, account: string) {
  const id = `spiffe://${server.trustDomain}/ns/${namespace}/sa/${account}`
  const { code, stderr } = await server.cli(
    'steeple',
    ...['entry', 'create', '-spiffeID', id],
    ...[
      ...[
        '-parentID',
        agent.id,
        '-selector',
        `k8s:ns:${namespace}`,
        '-selector',
        `k8s:sa:${account}`,
      ],
    ],
  )
  if (code !== 0) throw new Error(`no entry for ${id}: ${stderr}`)
}

async function openAgent(context: StoryContext, server: Server): Promise<Agent> {
  const { dir } = context.cluster
  return await startAgent('steeple', server, {
    plugins: `WorkloadAttestor "k8s" { plugin_data {
      skip_kubelet_verification = true  token_path = "${join(dir, 'token')}"  node_name = "node1"
    } }`,
  })
}

async function startPods(context: StoryContext, { shop, web, outside }: World) {
  const { image } = context
  const app: Application = { image, namespace: shop, name: 'db', account: 'db' }
  await context.apply(
    ...[shop, web, outside].flatMap((namespace) =>
      ['db', 'web', 'other'].map((name) => ({
        ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      })),
    ),
    service(shop),
    servingPod(app),
    waitingPod({ image, namespace: web, name: 'web', account: 'web' }),
    waitingPod({ image, namespace: web, name: 'other', account: 'other' }),
    waitingPod({ image, namespace: outside, name: 'stranger', account: 'other' }),
  )
  for (const [namespace, name] of [
    [shop, 'db'],
    [web, 'web'],
    [web, 'other'],
    [outside, 'stranger'],
  ] as const) {
    await ready(context, namespace, name)
  }
  const ip = await context.mustKubectl([
    'get',
    'svc',
    '-n',
    shop,
    'db',
    '-o',
    'jsonpath={.spec.clusterIP}',
  ])
  return { ip }
}

async function ready(context: StoryContext, namespace: string, name: string): Promise<void> {
  const words = ['wait', '--for=condition=Ready', '-n', namespace, `pod/${name}`, '--timeout=120s']
  const { code } = await context.kubectl(words)
  if (code === 0) return
  const about = await context.kubectl(['describe', 'pod', '-n', namespace, name])
  const logs = await context.kubectl([
    'logs',
    '-n',
    namespace,
    name,
    '--all-containers',
    '--tail=30',
  ])
  throw new Error(
    `${namespace}/${name} is not ready:\n${about.stdout.slice(-3_000)}\n${logs.stdout}`,
  )
}

type Caller = readonly [namespace: string, pod: string]

async function enforce(context: StoryContext, world: World & { readonly ip: string }) {
  const { root, shop, web, outside, ip } = world
  const callers: Record<'web' | 'other' | 'stranger', Caller> = {
    ...{ web: [web, 'web'], other: [web, 'other'], stranger: [outside, 'stranger'] },
  }
  const says = async (who: keyof typeof callers, path: string, expected: RegExp) => {
    const [namespace, pod] = callers[who]
    let last = ''
    await context
      .until(
        `${who} to get ${expected} for ${path}`,
        async () => {
          last = await ask(context, namespace, pod, `http://${ip}:8080${path}`)
          return expected.test(last)
        },
        PATIENCE_MS / 4,
      )
      .catch(() => {
        throw new Error(`${who} asked ${path} and got ${last}, expected ${expected}`)
      })
  }
  await says('web', '/public', /^200 .*spiffe:\/\/example.org\/ns\/policies-web\/sa\/web/)
  await says('stranger', '/public', /^200 nobody/)
  const seen = await plaintextCallers(context, shop, 'db')
  if (!/STRICT would break 1 caller/.test(seen))
    throw new Error(`mtls report tells of no plaintext caller:\n${seen}`)
  await context.apply(policy(root, 'PeerAuthentication', 'default', { mtls: { mode: 'STRICT' } }))
  await says('stranger', '/public', /^failed/)
  await says('web', '/public', /^200/)
  await says('other', '/public', /^200/)
  const from = [{ source: { serviceAccounts: [`${web}/web`] } }]
  await context.apply(policy(shop, 'AuthorizationPolicy', 'callers', { rules: [{ from }] }))
  await says('other', '/public', /^403 RBAC: access denied/)
  await says('web', '/public', /^200/)
  const to = [{ operation: { paths: ['/secret'] } }]
  await context.apply(
    policy(shop, 'AuthorizationPolicy', 'secret', { action: 'DENY', rules: [{ to }] }),
  )
  await says('web', '/secret', /^403 RBAC: access denied/)
  await says('web', '/public', /^200/)
  const bad = [{ source: { ipBlocks: ['10.0.0.0/99'] } }]
  await context.apply(policy(shop, 'AuthorizationPolicy', 'bad', { rules: [{ from: bad }] }))
  await context.until('the bad policy to be told why', async () => {
    const path = 'jsonpath={.status.conditions[?(@.type=="Accepted")].message}'
    const words = ['get', 'authorizationpolicy', '-n', shop, 'bad', '-o', path]
    return (await context.mustKubectl(words)).includes('10.0.0.0/99')
  })
  await says('web', '/secret', /^403/)
  await context.mustKubectl(['delete', 'authorizationpolicy', '-n', shop, 'bad'])
  const carried = await load(context, web, 'web', `http://${ip}:8080/public`)
  return `${carried}; ${await probesPassed(context, shop)}`
}

/** Under STRICT for all of it: three kinds of probes, none of which has failed. */
async function probesPassed(context: StoryContext, namespace: string): Promise<string> {
  const path =
    'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.containerStatuses[*].restartCount}'
  const state = await context.mustKubectl(['get', 'pod', '-n', namespace, 'db', '-o', path])
  const unhealthy =
    'jsonpath={range .items[?(@.reason=="Unhealthy")]}{.involvedObject.fieldPath} {.message}{"\\n"}{end}'
  const words = ['get', 'events', '-n', namespace, '-o', unhealthy]
  const events = await context.mustKubectl(words)
  // Before it has started, a probe may fail.
  const failed = /\{app\} (?:Readiness|Liveness) probe failed/.test(events)
  const probed = await ask(context, namespace, 'db', 'http://127.0.0.1:8080/probed', 'app')
  const [, count = '0'] = /^200 (\d+)/.exec(probed) ?? []
  if (state !== 'True 0' || failed || Number(count) < 2) {
    throw new Error(`probes did not pass: Ready and restarts ${state}, probes ${probed}, ${events}`)
  }
  return `${count} HTTP probes answered under STRICT`
}

const policy = (namespace: string, kind: string, name: string, spec: object) => ({
  ...{ apiVersion: 'security.istio.io/v1', kind, metadata: { name, namespace }, spec },
})
