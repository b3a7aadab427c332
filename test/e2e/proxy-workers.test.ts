/** One proxy with two workers, as a process: they share addresses, identity and policies, and drain together. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAgent, startServer } from '../processes/cluster.ts'
import { freePort } from '../processes/free-port.ts'
import { giveIdentity, type RunningProxy, startProxy } from '../processes/proxy.ts'

const stack = new AsyncDisposableStack()
let proxy: RunningProxy
let out: number
let metricsPort: number
let healthPort: number

const CONNECTIONS = 24
/** Of an SVID: renewed at half of it. */
const TTL_SECONDS = 20

const denyPrivate = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: private, namespace: shop }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["/private*"] } }] }] }
`
const denyAll = denyPrivate.replace(
  'rules: [{ to: [{ operation: { paths: ["/private*"] } }] }]',
  'rules: [{}]',
)

beforeAll(async () => {
  const server = stack.use(await startServer('steeple'))
  const agent = stack.use(await startAgent('steeple', server))
  await giveIdentity(server, agent, '/ns/shop/sa/db', '-x509SVIDTTL', String(TTL_SECONDS))
  const backend = createServer((_asked, response) => response.end('here'))
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  stack.defer(() => {
    backend.close()
    backend.closeAllConnections()
  })
  const { port } = backend.address() as AddressInfo // cast: it listens on TCP
  const inner = await freePort()
  metricsPort = await freePort()
  healthPort = await freePort()
  proxy = stack.use(
    await startProxy(agent, {
      blocks: `telemetry { Prometheus { port = ${metricsPort} } }
        health_checks { listener_enabled = true  bind_port = ${healthPort} }`,
      settings: `workers = 2
        inbound "in" { listen = "127.0.0.1:${inner}"  upstream = "127.0.0.1:${port}" }
        outbound "out" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${inner}"
          authorize = ["spiffe://example.org/ns/shop/sa/db"] }`,
      policies: { 'private.yaml': denyPrivate },
    }),
  )
  out = (await proxy.address('out')).port
})

afterAll(() => stack.disposeAsync())

/** A connection that is kept, and the status of what it asked first. */
async function ask(path: string): Promise<{ readonly socket: Socket; readonly status: number }> {
  const socket = connect({ host: '127.0.0.1', port: out })
  socket.on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: db.shop\r\n\r\n`)
  const ended = new Promise<Buffer>((resolve) => {
    socket.once('close', () => resolve(Buffer.alloc(0)))
    socket.once('data', resolve)
  })
  return { socket, status: Number(/^HTTP\/1\.1 (\d+)/.exec(String(await ended))?.[1]) }
}

const askMuch = (path: string) => Promise.all(Array.from({ length: CONNECTIONS }, () => ask(path)))

interface Worker {
  readonly worker: number
  readonly is_serving: boolean
  readonly connections: number
}

async function workers(): Promise<readonly Worker[]> {
  const { body } = await proxy.admin('GET', '/status')
  return body.workers as readonly Worker[] // cast: the page says so
}

test('connections are spread over both workers, and counted once', async () => {
  const asked = await askMuch('/public')
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]))
  for (const one of await workers()) {
    expect(one).toMatchObject({ is_serving: true })
    expect(one.connections).toBeGreaterThan(0)
  }
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const [, requests] =
    /^istio_requests_total\{reporter="destination".*response_code="200".*\} (\d+)$/m.exec(
      metrics,
    ) ?? []
  expect(requests).toBe(String(CONNECTIONS))
  expect((await fetch(`http://127.0.0.1:${healthPort}/ready`)).status).toBe(200)
  const lines = readFileSync(proxy.accessLog, 'utf8').trim().split('\n')
  expect(lines.filter((line) => JSON.parse(line).status === 200).length).toBeGreaterThanOrEqual(
    CONNECTIONS,
  )
  for (const { socket } of asked) socket.destroy()
})

test('a policy is in force in both workers, and so is the next one', async () => {
  const statuses = async (path: string) => {
    const asked = await askMuch(path)
    for (const { socket } of asked) socket.destroy()
    return new Set(asked.map(({ status }) => status))
  }
  expect(await statuses('/private')).toEqual(new Set([403]))
  proxy.writePolicy('private.yaml', denyAll)
  await expect.poll(() => statuses('/public')).toEqual(new Set([403]))
  proxy.writePolicy('private.yaml', denyPrivate)
  await expect.poll(() => statuses('/public')).toEqual(new Set([200]))
})

test('a renewal is heard of by both workers, and no connection ends with the SVID that it began with', async () => {
  const asked = await askMuch('/public')
  const renewals = () =>
    new Set(
      [
        ...proxy
          .process()
          .output()
          .matchAll(/"worker":(\d).*"msg":"Identity or bundles changed"/g),
      ].map(([, worker]) => worker),
    )
  await expect.poll(renewals, { timeout: 2 * TTL_SECONDS * 1000 }).toEqual(new Set(['1', '2']))
  expect(asked.filter(({ socket }) => socket.destroyed)).toEqual([])
  expect((await ask('/public')).status).toBe(200)
  for (const { socket } of asked) socket.destroy()
})

test('when it is stopped both workers drain, and the process ends', async () => {
  const running = proxy.process()
  running.kill('SIGTERM')
  expect(await running.ended).toBe(0)
  expect(running.output().match(/"msg":"Draining"/g)).toHaveLength(2)
})
