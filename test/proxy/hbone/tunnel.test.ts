import { once } from 'node:events'
import { constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { contextOf, currentCa, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'
import { everything, startBackend } from '../running-proxy.ts'
import { startFakeHbone } from './fake-hbone.ts'
import { ca, db, policy, sourceOf, web } from './hbone-client.ts'

const stack: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

const echo = (socket: Socket) => void socket.pipe(socket)

interface PairOptions {
  readonly policies?: string
  readonly serve?: (socket: Socket) => void
  readonly authorize?: string
}

/** A workload of `db` behind its proxy, and the proxy of `web` with a listener that leads there by tunnels. */
async function startPair(options: PairOptions = {}) {
  const { policies = '', serve = echo, authorize = 'spiffe://example.org/ns/shop/sa/db' } = options
  const workload = await startBackend(serve)
  stack.push(workload)
  const server = await startListeners(
    sourceOf(db),
    `hbone { listen = "127.0.0.1:0" }\nworkload { tcp_ports = [${workload.port}] }`,
    policies,
  )
  stack.push(server)
  const identity = sourceOf(web)
  const client = await startListeners(
    identity,
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${workload.port}"
      transport = "hbone"  hbone_address = "127.0.0.1:${server.port('hbone')}"
      authorize = ["${authorize}"]
    }`,
  )
  stack.push(client)
  return { workload, server, client, identity, port: client.port('db') }
}

async function talk(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  return String(await once(socket, 'data'))
}

const sessionsOf = (proxy: Awaited<ReturnType<typeof startListeners>>) =>
  [...proxy.context.connections.list()].filter(({ listener }) => listener === 'db upstream')

test('the workload’s connection goes through a tunnel, and each way ends by itself', async () => {
  const heard: string[] = []
  const { port } = await startPair({
    serve(socket) {
      socket.on('data', (chunk) => heard.push(chunk.toString()))
      socket.on('end', () => socket.end('after the end'))
    },
  })
  const socket = await talk(port)
  socket.end('question')
  expect(await everything(socket)).toBe('after the end')
  expect(heard.join('')).toBe('question')
})

test('many tunnels share one connection, which stays for the next', async () => {
  const { port, client, workload } = await startPair()
  const sockets = await Promise.all(Array.from({ length: 20 }, () => talk(port)))
  const words = await Promise.all(sockets.map((socket, at) => echoed(socket, `word ${at}`)))
  expect(words).toEqual(sockets.map((_, at) => `word ${at}`))
  expect(workload.seen()).toBe(20)
  expect(sessionsOf(client)).toHaveLength(1)
  for (const socket of sockets) socket.end()
  await Promise.all(sockets.map((socket) => everything(socket)))
  const again = await talk(port)
  expect(await echoed(again, 'again')).toBe('again')
  expect(sessionsOf(client)).toHaveLength(1)
})

test('beyond a hundred tunnels another connection is made', async () => {
  const { port, client } = await startPair()
  const sockets = await Promise.all(Array.from({ length: 101 }, () => talk(port)))
  await Promise.all(sockets.map((socket) => echoed(socket, 'hello')))
  expect(sessionsOf(client)).toHaveLength(2)
  for (const socket of sockets) socket.destroy()
})

test('a destination that shows another identity than expected gets nothing', async () => {
  const { port, client, workload } = await startPair({
    authorize: 'spiffe://example.org/ns/shop/sa/orders',
  })
  expect(await everything(await talk(port))).toBe('')
  expect(workload.seen()).toBe(0)
  expect(client.access).toMatchObject([
    {
      response_flags: 'IDENTITY_ERROR',
      reason: 'the peer spiffe://example.org/ns/shop/sa/db is verified, but not authorized here',
    },
  ])
})

test('what policy denies there is closed here, and the log says why', async () => {
  const { port, client } = await startPair({
    policies: policy('nobody', '{ action: DENY, rules: [{}] }'),
  })
  expect(await everything(await talk(port))).toBe('')
  expect(client.access).toMatchObject([
    { response_flags: 'CONNECT', reason: expect.stringContaining('its policy denies us') },
  ])
})

test('a workload that is cut off cuts off its caller, who does not take a part for the whole', async () => {
  const { port } = await startPair({
    serve(socket) {
      socket.once('data', () => {
        socket.write('half of')
        socket.once('data', () => socket.resetAndDestroy())
      })
    },
  })
  const socket = await talk(port)
  expect(await echoed(socket, 'go')).toBe('half of')
  const lost = once(socket, 'end').then(
    () => 'end',
    (error: Error) => ('code' in error ? error.code : error.message),
  )
  socket.write('on')
  expect(await lost).toBe('ECONNRESET')
})

test('a new certificate cuts no connection, and the next tunnel takes it', async () => {
  const { port, client, identity } = await startPair()
  const socket = await talk(port)
  expect(await echoed(socket, 'before')).toBe('before')
  const renewed = await identityOf(ca, '/ns/shop/sa/web')
  identity.set(contextOf(renewed, [ca.bundle]))
  expect(await echoed(socket, 'after')).toBe('after')
  expect(await echoed(await talk(port), 'next')).toBe('next')
  expect(sessionsOf(client)).toHaveLength(1)
})

test('another identity of ours does not use the connections of the one before', async () => {
  const { port, client, identity } = await startPair()
  expect(await echoed(await talk(port), 'before')).toBe('before')
  identity.set(contextOf(await identityOf(ca, '/ns/shop/sa/api'), [ca.bundle]))
  expect(await echoed(await talk(port), 'after')).toBe('after')
  expect(sessionsOf(client)).toHaveLength(2)
})

test('a destination whose bundle is taken away loses its connection, and a new one is refused', async () => {
  const { port, client, identity } = await startPair()
  const socket = await talk(port)
  expect(await echoed(socket, 'before')).toBe('before')
  const other = await currentCa('example.org')
  identity.set(contextOf(web, [other.bundle]))
  const closed = once(socket, 'close').catch(() => [])
  client.context.connections.rejudgePeers(identity.current().bundles, client.context.clock.now())
  socket.resume()
  await closed
  expect(await everything(await talk(port))).toBe('')
  expect(client.access.at(-1)).toMatchObject({ response_flags: 'IDENTITY_ERROR' })
})

test('the other end is told on whose behalf a tunnel is opened', async () => {
  const seen: Record<string, unknown>[] = []
  const fake = await startFakeHbone((stream, headers) => {
    seen.push(headers)
    stream.respond({ ':status': 200 })
    stream.end('hi')
  })
  stack.push(fake)
  const client = await startListeners(
    sourceOf(web),
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "10.1.2.3:8080"  service = "db.shop.svc"
      transport = "hbone"  hbone_address = "127.0.0.1:${fake.port}"
      authorize = ["spiffe://example.org"]
    }
    workload { name = "web-1"  labels { app = "web"  version = "v 2" } }`,
  )
  stack.push(client)
  const socket = await talk(client.port('db'))
  const { localPort } = socket
  expect(await everything(socket)).toBe('hi')
  expect(seen).toMatchObject([
    {
      ':method': 'CONNECT',
      ':authority': '10.1.2.3:8080',
      baggage: 'k8s.namespace.name=shop,k8s.pod.name=web-1,service.name=web,service.version=v%202',
      forwarded: `for="127.0.0.1:${localPort}";host=db.shop.svc`,
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
    },
  ])
  expect(seen[0]).not.toHaveProperty(':path')
  expect(fake.serverNames).toEqual([false])
})

test('what the other end answered instead is told in the log', async () => {
  const reasons: unknown[] = []
  for (const status of [503, 204, 0, -1]) {
    const fake = await startFakeHbone((stream) => {
      if (status === 0) stream.close(constants.NGHTTP2_CANCEL)
      else if (status === -1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
      else stream.respond({ ':status': status }, { endStream: true })
    })
    stack.push(fake)
    const client = await startListeners(
      sourceOf(web),
      `outbound "db" {
        listen = "127.0.0.1:0"  upstream = "10.1.2.3:8080"
        transport = "hbone"  hbone_address = "127.0.0.1:${fake.port}"
        authorize = ["spiffe://example.org"]
      }`,
    )
    stack.push(client)
    expect(await everything(await talk(client.port('db')))).toBe('')
    reasons.push(client.access[0]?.reason)
  }
  expect(reasons).toEqual([
    'the proxy of 10.1.2.3:8080 answered 503: its workload cannot be reached',
    'the proxy of 10.1.2.3:8080 answered 204, expected 200',
    'the proxy of 10.1.2.3:8080 has closed it before an answer',
    'the proxy of 10.1.2.3:8080 takes no more tunnels',
  ])
})
