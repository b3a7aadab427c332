/**
 * Transparent capture with real namespaces: `web` and `db` are pods whose proxies take all that comes and goes, `outside` has
 * no proxy. Skipped by name where namespaces cannot be made.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Agent, startAgent, startServer, steeple } from '../processes/cluster.ts'
import { type Pods, runIn, startIn, startPods } from '../processes/netns.ts'
import { isInstalled, type Running, run, until } from '../processes/process.ts'
import { giveIdentity, type RunningProxy, startProxy } from '../processes/proxy.ts'

const missing = ['ip', 'nft', 'iptables', 'nsenter', 'curl'].filter((one) => !isInstalled(one))
const canMakeNamespaces =
  missing.length === 0 && spawnSync('unshare', ['--net', 'true']).status === 0
const how =
  missing.length > 0
    ? `needs ${missing.join(', ')}: apt-get install iproute2 nftables iptables util-linux curl`
    : 'needs root'
if (!canMakeNamespaces) process.stderr.write(`SKIPPED capture in network namespaces: ${how}\n`)
const check = (title: string, body: () => Promise<void>) =>
  canMakeNamespaces ? test(title, body) : test.skip(`${title} (${how})`, () => {})

const PROBES = '169.254.7.127'
const stack = new AsyncDisposableStack()
let pods: Pods<'web' | 'db' | 'outside'>
let web: RunningProxy
let db: RunningProxy
let spans: Running

const callers = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  action: ALLOW
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]
      to: [{ operation: { paths: ["/public"] } }]
    - to: [{ operation: { paths: ["/open"] } }]
`
const mode = (name: string) => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: ${name} } }
`

/** Tells its caller what it was asked and by whom. */
const backend = `require('node:http').createServer((asked, response) => {
  const { url, headers, socket } = asked
  response.end(JSON.stringify({ url, caller: headers['x-forwarded-client-cert'], from: socket.remoteAddress }))
}).listen({ host: '::', port: 8080 }, () => console.log('ready'))`

/** Takes spans, and prints what it gets. */
const collector = `require('node:http').createServer(async (asked, response) => {
  console.log((await asked.toArray()).join(''))
  response.end('{}')
}).listen({ host: '::', port: 4318 }, () => console.log('ready'))`

const ruleCommand = async (pod: 'web' | 'db', ...words: readonly string[]) => {
  const { code, stderr } = await run(steeple, [
    ...['proxy', 'rules', ...words, '-netns', pods.netnsPath(pod)],
  ])
  if (code !== 0) throw new Error(stderr)
}

beforeAll(async () => {
  if (!canMakeNamespaces) return
  pods = stack.use(await startPods(['web', 'db', 'outside'], { outside: PROBES }))
  const server = stack.use(await startServer('steeple'))
  const [nodeA, nodeB]: readonly Agent[] = await Promise.all([
    startAgent('steeple', server),
    startAgent('steeple', server),
  ])
  if (nodeA === undefined || nodeB === undefined) throw new Error('no agents')
  stack.use(nodeA)
  stack.use(nodeB)
  await giveIdentity(server, nodeA, '/ns/shop/sa/web')
  await giveIdentity(server, nodeB, '/ns/shop/sa/db')
  for (const pod of ['web', 'db', 'outside'] as const) {
    await stack.use(startIn(pods.netns(pod), [process.execPath, '-e', backend])).line(/ready/)
  }
  spans = stack.use(startIn(pods.netns('outside'), [process.execPath, '-e', collector]))
  await spans.line(/ready/)
  const settings = (peer: 'web' | 'db') => `
    tracing { otlp_endpoint = "http://${pods.ip('outside')}:4318"  sampling = 0 }
    hbone { listen = "[::]:15008" }
    capture {}
    connect_timeout = "3s"
    destination "peer" {
      addresses = ["${pods.ip(peer)}", "${pods.ip(peer, 6)}"]
      authorize = ["spiffe://example.org/ns/shop/sa/${peer}"]
    }`
  const policies = { 'callers.yaml': callers, 'mtls.yaml': mode('STRICT') }
  db = stack.use(
    await startProxy(nodeB, { settings: settings('web'), policies, netns: pods.netns('db') }),
  )
  web = stack.use(await startProxy(nodeA, { settings: settings('db'), netns: pods.netns('web') }))
  await ruleCommand('db', '-apply')
  await ruleCommand('web', '-apply', '-firewall', 'iptables')
})

afterAll(() => stack.disposeAsync())

interface Got {
  /** curl's; 0 when there was an answer. */
  readonly exit: number | null
  readonly status: number
  readonly body: string
}

async function curl(
  pod: 'web' | 'db' | 'outside',
  url: string,
  ...words: readonly string[]
): Promise<Got> {
  const asked = ['curl', '-sg', '--max-time', '10', '-w', '\\n%{http_code}', ...words, url]
  const { code, stdout } = await runIn(pods.netns(pod), asked)
  const [status = '', ...rest] = stdout.split('\n').reverse()
  return { exit: code, status: Number(status), body: rest.reverse().join('\n') }
}

const lines = (proxy: RunningProxy): Record<string, unknown>[] =>
  existsSync(proxy.accessLog)
    ? readFileSync(proxy.accessLog, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : []

check('what one pod calls at another goes by a tunnel through both proxies', async () => {
  const { status, body } = await curl('web', `http://${pods.ip('db')}:8080/public`)
  expect(status).toBe(200)
  expect(JSON.parse(body)).toMatchObject({
    url: '/public',
    caller: expect.stringContaining('URI=spiffe://example.org/ns/shop/sa/web'),
  })
  await expect
    .poll(() => lines(db))
    .toContainEqual(
      expect.objectContaining({
        listener: 'hbone',
        path: '/public',
        status: 200,
        destination: `${pods.ip('db')}:8080`,
        source_identity: 'spiffe://example.org/ns/shop/sa/web',
        mutual_tls: true,
      }),
    )
})

check('spans reach the collector by connections that no rule brings back', async () => {
  const calls = [
    ['web', 'db', '0af7651916cd43dd8448eb211c80319c'],
    ['db', 'web', '80f198ee56343ba864fe8b2a57d3eff7'],
  ] as const
  for (const [from, to, trace] of calls) {
    const header = `traceparent: 00-${trace}-b7ad6b7169203331-01`
    const { status } = await curl(from, `http://${pods.ip(to)}:8080/public`, '-H', header)
    expect(status).toBe(200)
    // Told by the proxy of the callee alone: the caller's makes a tunnel and looks at no request.
    const span = new RegExp(`"traceId":"${trace}",[^}]*"name":"GET","kind":2`)
    await expect.poll(() => spans.output(), { timeout: 10_000 }).toMatch(span)
  }
  const carried = [...lines(web), ...lines(db)].map(({ destination }) => destination)
  expect(carried).not.toContain(`${pods.ip('outside')}:4318`)
})

check('the same over IPv6', async () => {
  const { status } = await curl('web', `http://[${pods.ip('db', 6)}]:8080/public`)
  expect(status).toBe(200)
})

check('and in the other direction', async () => {
  const { status, body } = await curl('db', `http://${pods.ip('web')}:8080/anything`)
  expect(status).toBe(200)
  expect(JSON.parse(body).caller).toContain('URI=spiffe://example.org/ns/shop/sa/db')
})

check('policy is enforced on what is inside the tunnel', async () => {
  const { status, body } = await curl('web', `http://${pods.ip('db')}:8080/admin`)
  expect([status, body]).toEqual([403, 'RBAC: access denied'])
})

check('plaintext from outside is refused while the mode is STRICT', async () => {
  const { exit, status } = await curl('outside', `http://${pods.ip('db')}:8080/open`)
  expect(status).toBe(0)
  expect([52, 56]).toContain(exit)
})

check('a probe of the kubelet passes by the proxy', async () => {
  const { status } = await curl(
    'outside',
    `http://${pods.ip('db')}:8080/healthz`,
    ...['--interface', PROBES],
  )
  expect(status).toBe(200)
})

check('the proxy’s own ports lead nowhere, from outside and from the pod itself', async () => {
  for (const port of [15_001, 15_006]) {
    expect((await curl('outside', `http://${pods.ip('db')}:${port}/`)).status).toBe(0)
    expect((await curl('db', `http://${pods.ip('db')}:${port}/`)).status).toBe(0)
    expect((await curl('db', `http://127.0.0.1:${port}/`)).status).toBe(0)
  }
})

check('a pod that calls itself is not captured', async () => {
  expect((await curl('db', `http://${pods.ip('db')}:8080/mine`)).status).toBe(200)
  expect((await curl('db', 'http://127.0.0.1:8080/mine')).status).toBe(200)
})

check('addresses that nobody lists are called as they are', async () => {
  const { status, body } = await curl('web', `http://${pods.ip('outside')}:8080/there`)
  expect(status).toBe(200)
  expect(JSON.parse(body)).toEqual({ url: '/there', from: `::ffff:${pods.ip('web')}` })
})

check(
  'plaintext from outside passes once the mode is PERMISSIVE, as far as policy allows',
  async () => {
    db.writePolicy('mtls.yaml', mode('PERMISSIVE'))
    const url = `http://${pods.ip('db')}:8080`
    await until('the mode', async () => (await curl('outside', `${url}/open`)).status === 200)
    expect((await curl('outside', `${url}/public`)).status).toBe(403)
    expect((await curl('web', `${url}/public`)).status).toBe(200)
    db.writePolicy('mtls.yaml', mode('STRICT'))
    await until('the mode', async () => (await curl('outside', `${url}/open`)).status === 0)
  },
)

check('rules are applied twice without harm, and removed without a trace', async () => {
  await ruleCommand('db', '-apply')
  await ruleCommand('web', '-apply', '-firewall', 'iptables')
  const url = `http://${pods.ip('db')}:8080`
  expect((await curl('web', `${url}/public`)).status).toBe(200)
  await ruleCommand('db', '-remove')
  await ruleCommand('web', '-remove')
  await ruleCommand('web', '-remove')
  for (const pod of ['web', 'db'] as const) {
    const { stdout } = await runIn(pods.netns(pod), ['nft', 'list', 'ruleset'])
    expect(stdout).not.toMatch(/steeple/i)
  }
  const { status, body } = await curl('outside', `${url}/admin`)
  expect(status).toBe(200)
  expect(JSON.parse(body)).toEqual({ url: '/admin', from: `::ffff:${pods.ip('outside')}` })
})

check('stopped, both proxies end by themselves', async () => {
  for (const proxy of [web, db]) {
    proxy.process().kill('SIGTERM')
    expect(await proxy.process().ended).toBe(0)
  }
})
