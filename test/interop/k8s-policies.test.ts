/**
 * Policies applied with kubectl to a real API server, in force on the open connections of a proxy: within a second, and whatever
 * becomes of the API server. Nothing but kubectl writes them.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, Agent as HttpAgent, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect } from 'vitest'
import { parse } from 'yaml'
import { parseAuthorizationPolicy } from '../../policy/parse-authorization-policy.ts'
import { parsePeerAuthentication } from '../../policy/parse-peer-authentication.ts'
import { parseRequestAuthentication } from '../../policy/parse-request-authentication.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { type Agent, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { giveIdentity, type RunningProxy, startProxy } from '../processes/proxy.ts'
import { API_SERVER, interop, lacking } from './interop.ts'
import { type ApiServerProcess, apiServerOf } from './kubernetes/api-server-process.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const CRDS = join(ROOT, 'deploy', 'crds', 'istio-security.yaml')
/** What a policy may take to be in force, on a machine with nothing else to do; asserted by no test. */
const SOON = { timeout: 20_000, interval: 20 }

interface World extends AsyncDisposable {
  readonly kube: Kubernetes
  readonly server: Server
  readonly db: Agent
  readonly web: Agent
  readonly workloadPort: number
}

let world: World
beforeAll(async () => {
  if (lacking(API_SERVER) === undefined) world = await openWorld()
}, 120_000)
afterAll(async () => await world?.[Symbol.asyncDispose]())

async function openWorld(): Promise<World> {
  const kube = await startKubernetes()
  await kube.mustKubectl(['apply', '-f', CRDS])
  await kube.mustKubectl(['wait', '--for=condition=Established', '-f', CRDS])
  for (const name of ['istio-system', 'shop', 'pay']) await kube.mustKubectl(['create', 'ns', name])
  await kube.mustKubectl(['create', 'serviceaccount', '-n', 'shop', 'db'])
  await kube.mustKubectl(['apply', '-f', '-'], POD)
  const server = await startServer('steeple')
  const [db, web] = [await startAgent('steeple', server), await startAgent('steeple', server)]
  await giveIdentity(server, db, '/ns/shop/sa/db')
  await giveIdentity(server, web, '/ns/shop/sa/web')
  const workload = createServer((asked, response) => void response.end(asked.url))
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port: workloadPort } = workload.address() as AddressInfo // cast: it listens on TCP
  return {
    ...{ kube, server, db, web, workloadPort },
    async [Symbol.asyncDispose]() {
      workload.closeAllConnections()
      workload.close()
      await Promise.all([db, web].map((agent) => agent[Symbol.asyncDispose]()))
      await server[Symbol.asyncDispose]()
      await kube[Symbol.asyncDispose]()
    },
  }
}

const POD = `apiVersion: v1
kind: Pod
metadata: { name: db-1, namespace: shop, labels: { app: db } }
spec: { serviceAccountName: db, containers: [{ name: db, image: "localhost/workload:1" }] }
`

const policy = (name: string, spec: string, kind = 'AuthorizationPolicy', namespace = 'shop') =>
  `apiVersion: security.istio.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
`

const apply = (manifest: string) => world.kube.mustKubectl(['apply', '-f', '-'], manifest)
const remove = (...names: readonly string[]) =>
  world.kube.mustKubectl(['delete', '--ignore-not-found', '-n', 'shop', ...names])

const source = (more = '') =>
  `policy_source "kubernetes" { kube_config_file = "${world.kube.kubeconfig}"  ${more} }`

async function openDb(more = ''): Promise<RunningProxy & { readonly port: number }> {
  const proxy = await startProxy(world.db, {
    settings: `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${world.workloadPort}" }`,
    policySource: source(more),
  })
  return { ...proxy, ...(await proxy.address('db')) }
}

/** Asks over the one connection of `agent`, in plaintext. */
async function ask(port: number, path: string, agent: HttpAgent): Promise<string> {
  const asking = request({ host: '127.0.0.1', port, path, agent })
  asking.end()
  try {
    const [response] = await once(asking, 'response')
    return `${response.statusCode} ${await text(response)}`
  } catch (error) {
    return String(error)
  }
}

/** One connection that is kept, and says whether it was. */
function keptConnection(port: number) {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 })
  return {
    ask: (path: string) => ask(port, path, agent),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

interop(
  'what kubectl applies is in force on a connection that is open, and so is its end',
  API_SERVER,
  async () => {
    await using db = await openDb('pod_name = "db-1"')
    using open = keptConnection(db.port)
    expect(await open.ask('/public')).toBe('200 /public')
    const began = systemClock.now().getTime()
    await apply(
      policy(
        'secrets',
        '{ action: DENY, rules: [{ to: [{ operation: { paths: ["/secret"] } }] }] }',
      ),
    )
    const applied = systemClock.now().getTime()
    await expect.poll(() => open.ask('/secret'), SOON).toBe('403 RBAC: access denied')
    const now = systemClock.now().getTime()
    process.stderr.write(
      `policy in force ${now - applied} ms after kubectl ended (${now - began} ms after it began)\n`,
    )
    expect(await open.ask('/public')).toBe('200 /public')
    await remove('authorizationpolicy/secrets')
    await expect.poll(() => open.ask('/secret'), SOON).toBe('200 /secret')
  },
)

interop(
  'STRICT for the mesh ends a plaintext connection that is open, and only the mesh comes in',
  API_SERVER,
  async () => {
    await using db = await openDb('pod_name = "db-1"')
    await using web = await startProxy(world.web, {
      settings: `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${db.port}"
      authorize = ["spiffe://example.org/ns/shop/sa/db"]
    }`,
    })
    const { port } = await web.address('db')
    using outside = keptConnection(db.port)
    using inside = keptConnection(port)
    expect(await outside.ask('/a')).toBe('200 /a')
    expect(await inside.ask('/a')).toBe('200 /a')
    const plain = connect(db.port, '127.0.0.1')
    const closed = once(plain, 'close')
    plain.write('GET /b HTTP/1.1\r\nHost: db\r\n\r\n')
    await once(plain, 'data')
    await apply(
      policy('default', '{ mtls: { mode: STRICT } }', 'PeerAuthentication', 'istio-system'),
    )
    await closed
    expect(await outside.ask('/a')).toMatch(/ECONNRESET|socket hang up/)
    expect(await inside.ask('/a')).toBe('200 /a')
    await apply(
      policy('callers', '{ rules: [{ from: [{ source: { serviceAccounts: [other] } }] }] }'),
    )
    await expect.poll(() => inside.ask('/a'), SOON).toBe('403 RBAC: access denied')
    await apply(
      policy('callers', '{ rules: [{ from: [{ source: { serviceAccounts: [web] } }] }] }'),
    )
    await expect.poll(() => inside.ask('/a'), SOON).toBe('200 /a')
    await remove('authorizationpolicy/callers')
    await world.kube.mustKubectl(['delete', '-n', 'istio-system', 'peerauthentication/default'])
  },
)

interop(
  'a label of the pod decides which policies are its own, as it changes',
  API_SERVER,
  async () => {
    await using db = await openDb('pod_name = "db-1"')
    using open = keptConnection(db.port)
    await apply(
      policy('gold', '{ selector: { matchLabels: { tier: gold } }, action: DENY, rules: [{}] }'),
    )
    await apply(
      policy(
        'marker',
        '{ action: DENY, rules: [{ to: [{ operation: { paths: ["/marker"] } }] }] }',
      ),
    )
    await expect.poll(() => open.ask('/marker'), SOON).toMatch(/^403/)
    expect(await open.ask('/a')).toBe('200 /a')
    await world.kube.mustKubectl(['label', 'pod', '-n', 'shop', 'db-1', 'tier=gold'])
    await expect.poll(() => open.ask('/a'), SOON).toMatch(/^403/)
    const { body } = await db.admin('GET', '/policy')
    expect(body).toMatchObject({ workload: { labels: { app: 'db', tier: 'gold' } } })
    await world.kube.mustKubectl(['label', 'pod', '-n', 'shop', 'db-1', 'tier-'])
    await expect.poll(() => open.ask('/a'), SOON).toBe('200 /a')
    await remove('authorizationpolicy/gold', 'authorizationpolicy/marker')
  },
)

const wrong = policy(
  'wrong',
  '{ action: DENY, rules: [{ from: [{ source: { ipBlocks: ["10.0.0.0/99"] } }] }] }',
)

interop(
  'a policy that only the proxy can refuse is told on its status page, and changes nothing',
  API_SERVER,
  async () => {
    await using db = await openDb()
    using open = keptConnection(db.port)
    await apply(
      policy('old', '{ action: DENY, rules: [{ to: [{ operation: { paths: ["/old"] } }] }] }'),
    )
    await expect.poll(() => open.ask('/old'), SOON).toMatch(/^403/)
    await apply(wrong)
    const problem = async () => {
      const { body } = await db.admin('GET', '/status')
      return (body.policies as { problem?: string }).problem
    }
    await expect
      .poll(problem, SOON)
      .toMatch(/^AuthorizationPolicy shop\/wrong: .*ipBlocks.*10\.0\.0\.0\/99/)
    expect(await open.ask('/old')).toMatch(/^403/)
    {
      // A proxy that starts now has nothing to fall back on.
      await using late = await openDb()
      using there = keptConnection(late.port)
      expect(await there.ask('/a')).toBe('403 RBAC: access denied')
      await remove('authorizationpolicy/wrong')
      await expect.poll(() => there.ask('/a'), SOON).toBe('200 /a')
    }
    await expect.poll(problem, SOON).toBeUndefined()
    await remove('authorizationpolicy/old')
  },
)

interop(
  'the schema refuses nothing that enforcement takes, and much of what it does not',
  API_SERVER,
  async () => {
    const vectors = parse(readFileSync(join(ROOT, 'test', 'vectors', 'authz-cases.yaml'), 'utf8'), {
      maxAliasCount: -1,
    })
    const cases: readonly { id: string; title: string; object: { kind: string } }[] =
      vectors.validationCases
    const verdicts = await Promise.all(
      cases.map(async ({ id, title, object }) => {
        const parsed = PARSERS[object.kind]?.(object)
        const { code, stderr } = await world.kube.kubectl(
          ['apply', '--dry-run=server', '-f', '-'],
          JSON.stringify(object),
        )
        return {
          id: `${id} ${title}`,
          isTaken: parsed?.kind === 'policy',
          isAdmitted: code === 0,
          stderr,
        }
      }),
    )
    expect(verdicts.filter(({ isTaken, isAdmitted }) => isTaken && !isAdmitted)).toEqual([])
    const refused = verdicts.filter(({ isTaken }) => !isTaken)
    const early = refused.filter(({ isAdmitted }) => !isAdmitted)
    process.stderr.write(
      `${early.length} of ${refused.length} bad objects are refused by the schema alone\n`,
    )
    expect(early.length).toBeGreaterThan(refused.length / 3)
  },
)

const PARSERS: Readonly<Record<string, (object: unknown) => { readonly kind: string }>> = {
  AuthorizationPolicy: parseAuthorizationPolicy,
  PeerAuthentication: parsePeerAuthentication,
  RequestAuthentication: parseRequestAuthentication,
}

interop(
  'an API server that stands still, dies or comes back without its memory changes nothing that is enforced',
  API_SERVER,
  async () => {
    await using db = await openDb(
      `pod_name = "db-1"  state_file = "${join(world.kube.dir, 'kept.json')}"`,
    )
    using open = keptConnection(db.port)
    await apply(
      policy(
        'secrets',
        '{ action: DENY, rules: [{ to: [{ operation: { paths: ["/secret"] } }] }] }',
      ),
    )
    await expect.poll(() => open.ask('/secret'), SOON).toMatch(/^403/)
    const stays = async () => {
      expect(await open.ask('/secret')).toBe('403 RBAC: access denied')
      expect(await open.ask('/public')).toBe('200 /public')
    }
    let api: ApiServerProcess = apiServerOf(world.kube.dir)
    api.kill('SIGSTOP')
    await stays()
    api.kill('SIGCONT')
    await apply(
      policy('more', '{ action: DENY, rules: [{ to: [{ operation: { paths: ["/more"] } }] }] }'),
    )
    await expect.poll(() => open.ask('/more'), SOON).toMatch(/^403/)
    api.kill('SIGKILL')
    const problem = async () => {
      const { body } = await db.admin('GET', '/status')
      return String((body.policies as { problem?: string }).problem)
    }
    await expect.poll(problem, SOON).toMatch(/API server/)
    await stays()
    {
      // One that starts meanwhile has what the other kept, if it is given the file; without it, it takes nobody.
      await using late = await openDb(
        `pod_name = "db-1"  state_file = "${join(world.kube.dir, 'kept.json')}"`,
      )
      using there = keptConnection(late.port)
      expect(await there.ask('/secret')).toMatch(/^403/)
      expect(await there.ask('/public')).toBe('200 /public')
    }
    await using back = await api.startAgain()
    await remove('authorizationpolicy/secrets')
    await expect.poll(() => open.ask('/secret'), { ...SOON, timeout: 40_000 }).toBe('200 /secret')
    expect(await open.ask('/more')).toMatch(/^403/)
    api = back
  },
)
