/** Two workloads behind two proxies, on two nodes: identity from a real server and real agents, policy from files. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Agent, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { until } from '../processes/process.ts'
import { giveIdentity, type RunningProxy, startProxy } from '../processes/proxy.ts'

const stack = new AsyncDisposableStack()
let server: Server
let webProxy: RunningProxy
let dbProxy: RunningProxy
let httpPort: number
let tcpPort: number
let metricsPort: number
let healthPort: number
const seen: (string | undefined)[] = []

const allowWeb = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: shop }
spec:
  action: ALLOW
  rules:
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]
      to: [{ operation: { paths: ["/public/*"] } }]
    - from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }]
      to: [{ operation: { ports: ["TCP"] } }]
`
const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: STRICT } }
`

beforeAll(async () => {
  server = stack.use(await startServer('steeple'))
  const [nodeA, nodeB]: readonly Agent[] = await Promise.all([
    startAgent('steeple', server),
    startAgent('steeple', server),
  ])
  if (nodeA === undefined || nodeB === undefined) throw new Error('no agents')
  stack.use(nodeA)
  stack.use(nodeB)
  await giveIdentity(server, nodeA, '/ns/shop/sa/web')
  await giveIdentity(server, nodeB, '/ns/shop/sa/db')
  const http = createServer((incoming, response) => {
    seen.push(String(incoming.headers['x-forwarded-client-cert']))
    response.end(`you asked for ${incoming.url}`)
  })
  const tcp = createTcp((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  for (const backend of [http, tcp]) {
    backend.listen(0, '127.0.0.1')
    await once(backend, 'listening')
    stack.defer(() => void backend.close())
  }
  const portOf = ({ port }: AddressInfo) => port
  const backends = [http, tcp].map((one) => portOf(one.address() as AddressInfo)) // cast: both listen on TCP
  const [httpBackend, tcpBackend = 0] = backends
  metricsPort = await freePort()
  healthPort = await freePort()
  dbProxy = stack.use(
    await startProxy(nodeB, {
      blocks: `telemetry { Prometheus { port = ${metricsPort} } }
        health_checks { listener_enabled = true  bind_port = ${healthPort} }`,
      settings: `
        inbound "http" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${httpBackend}" }
        inbound "tcp" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${tcpBackend}"  protocol = "tcp" }`,
      policies: {
        'callers.yaml': allowWeb.replace('TCP', String(tcpBackend)),
        'mtls.yaml': strict,
      },
    }),
  )
  httpPort = (await dbProxy.address('http')).port
  tcpPort = (await dbProxy.address('tcp')).port
  webProxy = stack.use(
    await startProxy(nodeA, {
      settings: `
        outbound "db" {
          listen = "127.0.0.1:0"  upstream = "127.0.0.1:${httpPort}"
          authorize = ["spiffe://example.org/ns/shop/sa/db"]
        }
        outbound "stream" {
          listen = "127.0.0.1:0"  upstream = "127.0.0.1:${tcpPort}"  protocol = "tcp"
          authorize = ["spiffe://example.org/ns/shop/sa/db"]
        }
        outbound "wrong" {
          listen = "127.0.0.1:0"  upstream = "127.0.0.1:${httpPort}"
          authorize = ["spiffe://example.org/ns/shop/sa/orders"]
        }`,
    }),
  )
})

afterAll(() => stack.disposeAsync())

async function get(port: number, path: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const asking = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
    )
  })
  asking.on('error', reject)
  asking.end()
  return await promise
}

const outbound = async (name: string) => (await webProxy.address(name)).port

async function talk(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function echoed(socket: Socket): Promise<string> {
  socket.write('hello')
  return await new Promise((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString()))
    socket.once('close', () => resolve(''))
  })
}

const lines = (proxy: RunningProxy): Record<string, unknown>[] =>
  readFileSync(proxy.accessLog, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('an allowed request reaches the workload, which is told who calls', async () => {
  expect(await get(await outbound('db'), '/public/a')).toEqual({
    status: 200,
    body: 'you asked for /public/a',
  })
  expect(seen.at(-1)).toMatch(/URI=spiffe:\/\/example.org\/ns\/shop\/sa\/web$/)
})

test('a denied request gets 403, and the access log says which policies were asked', async () => {
  const before = seen.length
  expect(await get(await outbound('db'), '/admin')).toEqual({
    status: 403,
    body: 'RBAC: access denied',
  })
  expect(seen).toHaveLength(before)
  await expect
    .poll(() => lines(dbProxy).filter(({ path }) => path === '/admin'))
    .toMatchObject([
      {
        status: 403,
        verdict: 'deny',
        why: 'no-allow-matched',
        source_identity: 'spiffe://example.org/ns/shop/sa/web',
      },
    ])
})

test('a path that another decoding would change is refused before policy sees it', async () => {
  expect((await get(await outbound('db'), '/public/%2e%2e;/admin')).status).toBe(400)
})

test('plaintext is refused while the mode is STRICT', async () => {
  await expect(get(httpPort, '/public/a')).rejects.toThrow(/socket hang up|ECONNRESET/)
})

test('a destination that shows another identity than expected gets nothing', async () => {
  expect((await get(await outbound('wrong'), '/public/a')).status).toBe(503)
})

test('TCP is carried, and a change of policy closes it within a second', async () => {
  const socket = await talk(await outbound('stream'))
  expect(await echoed(socket)).toBe('hello')
  const closed = once(socket, 'close')
  dbProxy.writePolicy(
    'nobody.yaml',
    `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nobody, namespace: shop }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["/never"] } }] }] }
`,
  )
  await closed
  expect((await get(await outbound('db'), '/public/a')).status).toBe(200)
  dbProxy.writePolicy('nobody.yaml', '')
  await until('TCP to pass again', async () => {
    const again = await talk(await outbound('stream'))
    const answer = await echoed(again)
    again.destroy()
    return answer === 'hello'
  })
})

test('a broken policy file changes nothing, and status says what is wrong with it', async () => {
  dbProxy.writePolicy(
    'broken.yaml',
    'kind: AuthorizationPolicy\napiVersion: security.istio.io/v1\n',
  )
  await until('the problem to be told', async () => {
    const { body } = await dbProxy.admin('GET', '/status')
    return /broken\.yaml/.test(JSON.stringify(body.policies))
  })
  expect((await get(await outbound('db'), '/public/a')).status).toBe(200)
  expect((await get(await outbound('db'), '/admin')).status).toBe(403)
  dbProxy.writePolicy('broken.yaml', '')
})

/** Prepares an authority, activates it and taints the one before, so that agents renew every SVID at once. */
async function replaceAuthority(): Promise<void> {
  const authority = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await server.cli('steeple', 'localauthority', 'x509', ...words)
    if (code !== 0) throw new Error(stderr)
    return stdout
  }
  await authority('prepare')
  const { prepared } = JSON.parse(await authority('show', '-output', 'json'))
  await authority('activate', '-authorityID', prepared.authority_id)
  const { old } = JSON.parse(await authority('show', '-output', 'json'))
  await authority('taint', '-authorityID', old.authority_id)
}

test('the SVIDs rotate, no request fails, and no connection is cut', async () => {
  const socket = await talk(await outbound('stream'))
  expect(await echoed(socket)).toBe('hello')
  const serial = async () =>
    JSON.stringify((await dbProxy.admin('GET', '/certificates')).body.svids)
  const before = await serial()
  const port = await outbound('db')
  let isOver = false
  const asking = (async () => {
    const statuses: number[] = []
    while (!isOver) statuses.push((await get(port, '/public/a')).status)
    return statuses
  })()
  await replaceAuthority()
  await until('another SVID', async () => (await serial()) !== before)
  isOver = true
  const statuses = await asking
  expect(statuses.length).toBeGreaterThan(10)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(await echoed(socket)).toBe('hello')
  socket.destroy()
})

test('the emergency switch opens everything for a while, says who threw it, and closes again', async () => {
  const refused = await dbProxy.admin('POST', '/kill-switch', { for: '15m', reason: '' })
  expect(refused.status).toBe(400)
  const on = await dbProxy.admin('POST', '/kill-switch', { for: '15m', reason: 'incident 7' })
  expect(on.body).toMatchObject({ is_on: true, reason: 'incident 7' })
  expect((await get(httpPort, '/admin')).status).toBe(200)
  expect((await dbProxy.admin('DELETE', '/kill-switch')).body).toEqual({ is_on: false })
  await expect(get(httpPort, '/admin')).rejects.toThrow(/socket hang up|ECONNRESET/)
  expect((await dbProxy.admin('GET', '/plaintext-callers')).body.callers).toMatchObject([
    { source_ip: '127.0.0.1', connections: 1 },
  ])
  expect(dbProxy.process().output()).toMatch(
    /"audit":true,"by":"uid \d+, pid \d+","reason":"incident 7"/,
  )
})

test('metrics are served under Istio’s names, and the proxy says that it is ready', async () => {
  const { body } = await get(metricsPort, '/metrics')
  expect(body).toMatch(
    /^istio_requests_total\{reporter="destination",.*source_principal="spiffe:\/\/example\.org\/ns\/shop\/sa\/web".*response_code="403".*\} \d+$/m,
  )
  expect(body).toMatch(/^istio_tcp_received_bytes_total\{.*request_protocol="tcp".*\} \d+$/m)
  expect(body).toMatch(/^steeple_proxy_uptime_in_ms/m)
  expect((await get(healthPort, '/ready')).status).toBe(200)
})

test('stopped, a proxy lets what is in flight end, and ends itself', async () => {
  const socket = await talk(await outbound('stream'))
  expect(await echoed(socket)).toBe('hello')
  webProxy.process().kill('SIGTERM')
  await webProxy.process().line(/"Draining"/)
  expect(await echoed(socket)).toBe('hello')
  socket.end()
  expect(await webProxy.process().ended).toBe(0)
})
