/**
 * Two proxies under load while everything changes: SVIDs are renewed all the time, a policy is written every second, and
 * hostile clients do what they can. Says what it saw; whoever calls decides whether that is good.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, Agent as HttpAgent, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MAX_SESSIONS } from '../../proxy/http2/pool.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { abandon, comeAndGo, flood, halfClose, resetRapidly } from '../hostile/hostile-clients.ts'
import { startAgent, startServer } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'
import { giveIdentity, type RunningProxy, startProxy } from '../processes/proxy.ts'
import { type Course, watchResources } from './resources.ts'

export interface SoakOptions {
  readonly seconds: number
  /** Connections that come and go in each round of the hostile clients; rounds follow each other until the time is over. */
  readonly shortConnections: number
  /** Each client asks as fast as it is answered. */
  readonly clients: number
  /** How long connections may take to end after the last client has gone, in ms. */
  readonly patienceMs: number
}

export interface SoakReport {
  readonly requests: number
  /** Requests that should have passed and did not. */
  readonly failed: readonly string[]
  /** Requests that passed and should not have. */
  readonly passed: readonly string[]
  readonly policies: number
  /** Longest time from a policy's being written to its being in force, in ms. */
  readonly slowestPolicyMs: number
  /** SVIDs of the inbound proxy, different ones. */
  readonly svids: number
  readonly floodAnswers: readonly number[]
  readonly isRapidResetEnded: boolean
  /** What each proxy held on the way. */
  readonly courses: readonly Course[]
  /** Connections that are left of all that clients, hostile ones too, ever caused. */
  readonly left: number
  /** Of those that were left, HTTP/2 connections of the outbound proxy's pool: a burst of streams opens many, and it keeps them for minutes. */
  readonly kept: number
  /** What the logs say of requests that failed. */
  readonly explanations: readonly string[]
  /** Lines of errors in the logs. */
  readonly errors: readonly string[]
  /** Lines of the logs, both proxies. */
  readonly logLines: number
}

/** Seconds that an SVID lives, renewed at half of them; less, and a busy machine lets it expire. */
const SVID_TTL_SECONDS = 10
/** Paths whose answer never changes, and that which every second policy lets pass. */
const ALWAYS = '/public'
const NEVER = '/private'
const SOMETIMES = '/sometimes'

const policy = (version: number) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers-${version}, namespace: shop }
spec:
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]
      to: [{ operation: { paths: ["${ALWAYS}"${version % 2 === 0 ? `, "${SOMETIMES}"` : ''}] } }]
`

/** What `SOMETIMES` is answered now; undefined while a policy is on its way. */
interface Expected {
  readonly sometimes: 200 | 403 | undefined
}

interface Load {
  requests: number
  expected: Expected
  readonly failed: string[]
  readonly passed: string[]
}

/** A request that takes longer has failed. */
const MOST_REQUEST_MS = 20_000

async function statusOf(port: number, path: string, agent: HttpAgent): Promise<number> {
  const signal = AbortSignal.timeout(MOST_REQUEST_MS)
  const asking = request({ host: '127.0.0.1', port, path, agent, signal })
  asking.end()
  const [response]: IncomingMessage[] = await once(asking, 'response')
  await response?.toArray()
  return response?.statusCode ?? 0
}

/** Asks until the signal aborts; one request in so many has a connection of its own. */
async function ask(port: number, path: string, load: Load, signal: AbortSignal): Promise<void> {
  const kept = new HttpAgent({ keepAlive: true, maxSockets: 1 })
  for (let at = 0; !signal.aborted; at += 1) {
    const { expected } = load
    const agent = at % 10 === 9 ? new HttpAgent() : kept
    const seen = await statusOf(port, path, agent).catch((error: Error) => error.message)
    load.requests += 1
    const isSettled = expected === load.expected && expected.sometimes !== undefined
    const wanted = path === ALWAYS ? 200 : path === NEVER ? 403 : expected.sometimes
    if (seen === wanted || (path === SOMETIMES && !isSettled && (seen === 200 || seen === 403))) {
      continue
    }
    const list = seen === 200 ? load.passed : load.failed
    if (list.length < MAX_TOLD) list.push(`${path} was answered ${seen}, expected ${wanted}`)
  }
  kept.destroy()
}

/** Mistakes that are told; more say nothing new. */
const MAX_TOLD = 20

export async function soakProxy(options: SoakOptions): Promise<SoakReport> {
  await using stack = new AsyncDisposableStack()
  const backend = createServer((_asked, response) => void response.end('x'.repeat(1024)))
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  stack.defer(() => {
    backend.close()
    backend.closeAllConnections()
  })
  const { port } = backend.address() as AddressInfo // cast: it listens on TCP
  const server = stack.use(await startServer('steeple'))
  const [nodeA, nodeB] = [
    stack.use(await startAgent('steeple', server)),
    stack.use(await startAgent('steeple', server)),
  ]
  const ttl = ['-x509SVIDTTL', String(SVID_TTL_SECONDS)]
  await giveIdentity(server, nodeA, '/ns/shop/sa/web', ...ttl)
  await giveIdentity(server, nodeB, '/ns/shop/sa/db', ...ttl)
  const inbound = stack.use(
    await startProxy(nodeB, {
      settings: `inbound "http" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }`,
      policies: { 'callers.yaml': policy(0) },
    }),
  )
  const inboundPort = (await inbound.address('http')).port
  const outbound = stack.use(
    await startProxy(nodeA, {
      settings: `outbound "db" {
        listen = "127.0.0.1:0"  upstream = "127.0.0.1:${inboundPort}"
        authorize = ["spiffe://example.org/ns/shop/sa/db"]
      }`,
    }),
  )
  const outboundPort = (await outbound.address('db')).port
  return await run(options, { inbound, outbound, inboundPort, outboundPort })
}

interface Soaked {
  readonly inbound: RunningProxy
  readonly outbound: RunningProxy
  readonly inboundPort: number
  readonly outboundPort: number
}

async function run(options: SoakOptions, soaked: Soaked): Promise<SoakReport> {
  const { inbound, outbound, outboundPort } = soaked
  const load: Load = { requests: 0, expected: { sometimes: 200 }, failed: [], passed: [] }
  const over = new AbortController()
  const paths = [ALWAYS, ALWAYS, NEVER, SOMETIMES]
  const asking = Promise.all(
    Array.from({ length: options.clients }, (_, at) =>
      ask(outboundPort, paths[at % paths.length] ?? ALWAYS, load, over.signal),
    ),
  )
  // What a process allocates to begin with is no growth.
  await until('the load to run', async () => load.requests > 500)
  const pids = { inbound: inbound.process().pid, outbound: outbound.process().pid }
  const watching = watchResources(pids, SAMPLE_MS, over.signal)
  const changing = change(options, soaked, load)
  const hostile = harass(options, soaked)
  const changed = await changing
  const harassed = await hostile
  over.abort()
  await asking
  const courses = await watching
  const output = `${inbound.process().output()}\n${outbound.process().output()}`.split('\n')
  return {
    ...{ requests: load.requests, failed: load.failed, passed: load.passed, ...changed },
    ...harassed,
    ...(await connectionsLeft(soaked, options.patienceMs)),
    courses,
    explanations: explanationsIn(outbound),
    errors: output.filter((line) => isError(line)).slice(0, MAX_TOLD),
    logLines: output.length,
  }
}

/** From one look at what the proxies hold to the next. */
const SAMPLE_MS = 1_000

/** Writes a policy every second, and watches which SVIDs come. */
async function change({ seconds }: SoakOptions, { inbound, outboundPort }: Soaked, load: Load) {
  const svids = new Set<string>()
  const agent = new HttpAgent()
  const end = now() + seconds * 1000
  let version = 0
  let slowestPolicyMs = 0
  while (now() < end) {
    const begun = now()
    version += 1
    load.expected = { sometimes: undefined }
    inbound.writePolicy('callers.yaml', policy(version))
    const sometimes = version % 2 === 0 ? 200 : 403
    await until(`policy ${version} to be in force`, async () => {
      return (await statusOf(outboundPort, SOMETIMES, agent)) === sometimes
    })
    slowestPolicyMs = Math.max(slowestPolicyMs, (await loadedAt(inbound)) - begun)
    load.expected = { sometimes }
    svids.add(JSON.stringify((await inbound.admin('GET', '/certificates')).body.svids))
    await systemClock.sleep(Math.max(0, 1000 - (now() - begun)))
  }
  return { policies: version, slowestPolicyMs, svids: svids.size }
}

const now = () => systemClock.now().getTime()

/** When the policy in force was read, in ms since 1970. */
async function loadedAt(proxy: RunningProxy): Promise<number> {
  const { policies } = (await proxy.admin('GET', '/status')).body
  return Date.parse(/"loaded_at":"([^"]+)"/.exec(JSON.stringify(policies))?.[1] ?? '')
}

async function harass(
  { seconds, shortConnections }: SoakOptions,
  { inboundPort, outboundPort }: Soaked,
) {
  const end = now() + seconds * 1000
  const floodAnswers = new Set<number>()
  let isRapidResetEnded = true
  do {
    using _slow = await abandon(outboundPort, ABANDONED)
    using _slowTls = await abandon(inboundPort, ABANDONED)
    await comeAndGo(outboundPort, shortConnections / 2, 20)
    await comeAndGo(inboundPort, shortConnections / 2, 20)
    await halfClose(outboundPort, HOSTILE)
    for (const answer of await flood(outboundPort, HOSTILE)) floodAnswers.add(answer)
    isRapidResetEnded &&= await resetRapidly(outboundPort, 5_000)
  } while (now() < end)
  return { floodAnswers: [...floodAnswers], isRapidResetEnded }
}

/** Clients of each kind in a round. */
const HOSTILE = 20
/** Connections that are open all through a round and say nothing. */
const ABANDONED = 100

/** Connections that the outbound proxy still has although all clients have gone, as soon as there is none, or as it is then. */
async function connectionsLeft({ outbound }: Soaked, patienceMs: number) {
  let [upstream, others] = [-1, -1]
  await until(
    'the connections to end',
    async () => {
      const { body } = await outbound.admin('GET', '/connections')
      const listed = Array.isArray(body.connections) ? body.connections : []
      upstream = listed.filter(({ listener }) => listener === 'db upstream').length
      others = listed.length - upstream
      return listed.length === 0
    },
    patienceMs,
  ).catch(() => {})
  const kept = Math.min(upstream, MAX_SESSIONS)
  return { kept, left: upstream - kept + others }
}

/** Lines of requests that no policy refused and that came to nothing all the same. */
function explanationsIn({ accessLog }: RunningProxy): readonly string[] {
  const lines = readFileSync(accessLog, 'utf8').split('\n')
  return lines.filter((line) => /"status":5\d\d/.test(line)).slice(0, MAX_TOLD)
}

/** Errors, and whatever is no line of a log, such as a stack trace. */
const isError = (line: string): boolean =>
  line !== '' && (!line.startsWith('{') || /"level":(?:"error"|"fatal"|[56]0)/.test(line))
