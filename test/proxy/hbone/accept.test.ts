import { once } from 'node:events'
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'
import { startBackend } from '../running-proxy.ts'
import {
  ca,
  closeOf,
  connectHbone,
  db,
  openTunnel,
  policy,
  reset,
  sourceOf,
  web,
} from './hbone-client.ts'

const stack: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

const echo = (socket: Socket) => void socket.pipe(socket)

/** A proxy with a workload that does what `serve` says, at a port for TCP unless `settings` say otherwise. */
async function startServer(policies = '', serve = echo, isTcp = true) {
  const workload = await startBackend(serve)
  stack.push(workload)
  const ports = isTcp ? `workload { tcp_ports = [${workload.port}] }` : ''
  const proxy = await startListeners(
    sourceOf(db),
    `hbone { listen = "127.0.0.1:0" }\n${ports}\nprotocol_detection_timeout = "100ms"`,
    policies,
  )
  stack.push(proxy)
  return { workload, proxy, port: proxy.port('hbone'), authority: `127.0.0.1:${workload.port}` }
}

test('a tunnel carries bytes both ways, and says who answers', async () => {
  const { port, authority, proxy } = await startServer()
  const session = await connectHbone(port)
  const { stream, status, headers } = await openTunnel(session, authority)
  expect(status).toBe(200)
  expect(headers.baggage).toContain('k8s.namespace.name=shop')
  stream.write('hello')
  expect(String(await once(stream, 'data'))).toBe('hello')
  stream.end()
  await once(stream, 'close')
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR)
  session.close()
  await expect
    .poll(() => proxy.access)
    .toMatchObject([
      {
        listener: 'hbone',
        source_identity: 'spiffe://example.org/ns/shop/sa/web',
        mutual_tls: true,
        verdict: 'allow',
        bytes_received: 5,
        bytes_sent: 5,
        response_flags: '-',
      },
    ])
})

test('the settings are those of ztunnel', async () => {
  const { port } = await startServer()
  const session = await connectHbone(port)
  if (session.remoteSettings.maxConcurrentStreams !== 200) await once(session, 'remoteSettings')
  expect(session.remoteSettings).toMatchObject({
    initialWindowSize: 4 * 1024 * 1024,
    maxFrameSize: 1024 * 1024,
    maxConcurrentStreams: 200,
    maxHeaderListSize: 64 * 1024,
  })
  session.destroy()
})

test('each way of a tunnel ends by itself', async () => {
  const heard: string[] = []
  const { port, authority } = await startServer('', (socket) => {
    socket.on('data', (chunk) => heard.push(chunk.toString()))
    socket.on('end', () => socket.end('after the end'))
  })
  const session = await connectHbone(port)
  const { stream } = await openTunnel(session, authority)
  stream.end('question')
  expect((await stream.toArray()).join('')).toBe('after the end')
  expect(heard.join('')).toBe('question')
  session.close()
})

test('the workload ends its way first, and still hears the rest', async () => {
  const heard: string[] = []
  const { port, authority } = await startServer('', (socket) => {
    socket.end('greeting')
    socket.on('data', (chunk) => heard.push(chunk.toString()))
  })
  const session = await connectHbone(port)
  const { stream } = await openTunnel(session, authority)
  expect((await stream.toArray()).join('')).toBe('greeting')
  stream.end('late words')
  await expect.poll(() => heard.join('')).toBe('late words')
  session.close()
})

test('a workload that is cut off resets the tunnel, and a tunnel that is reset cuts off the workload', async () => {
  const sockets: Socket[] = []
  const { port, authority } = await startServer('', (socket) => {
    sockets.push(socket)
    socket.resume().write('begun')
  })
  const session = await connectHbone(port)
  const first = await openTunnel(session, authority)
  await once(first.stream, 'data')
  sockets[0]?.resetAndDestroy()
  await closeOf(first.stream)
  expect(first.stream.rstCode).toBe(constants.NGHTTP2_CONNECT_ERROR)
  const second = await openTunnel(session, authority)
  await once(second.stream, 'data')
  reset(second.stream, constants.NGHTTP2_CANCEL)
  await expect.poll(() => sockets[1]?.errored).toMatchObject({ code: 'ECONNRESET' })
  session.close()
})

test('who is denied by policy gets 401, and the workload sees nothing of it', async () => {
  const { port, authority, workload, proxy } = await startServer(
    policy(
      'nobody',
      '{ action: DENY, rules: [{ from: [{ source: { principals: ["example.org/ns/shop/sa/web"] } }] }] }',
    ),
  )
  const session = await connectHbone(port)
  expect((await openTunnel(session, authority)).status).toBe(401)
  expect(workload.seen()).toBe(0)
  expect(proxy.access).toMatchObject([
    { verdict: 'deny', response_flags: 'DENY', policy: 'shop/nobody' },
  ])
  session.close()
})

test('who is denied whatever it sends gets 401 at a port that may carry anything, too', async () => {
  const spec =
    '{ action: ALLOW, rules: [{ from: [{ source: { namespaces: [other] } }], to: [{ operation: { methods: [GET] } }] }] }'
  const { port, authority, workload } = await startServer(policy('others', spec), echo, false)
  const session = await connectHbone(port)
  expect((await openTunnel(session, authority)).status).toBe(401)
  expect(workload.seen()).toBe(0)
  session.close()
})

test('at a port that may carry anything, requests are judged one by one', async () => {
  const spec = '{ action: ALLOW, rules: [{ to: [{ operation: { paths: ["/public"] } }] }] }'
  const asked: string[] = []
  const { port, authority, proxy } = await startServer(
    policy('public', spec),
    (socket) => {
      socket.on('data', (chunk) => {
        asked.push(chunk.toString())
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi')
      })
    },
    false,
  )
  const session = await connectHbone(port)
  const { stream } = await openTunnel(session, authority)
  stream.write('GET /public HTTP/1.1\r\nhost: db\r\nx-forwarded-client-cert: me\r\n\r\n')
  expect(String(await once(stream, 'data'))).toMatch(/^HTTP\/1.1 200 /)
  stream.write('GET /admin HTTP/1.1\r\nhost: db\r\n\r\n')
  expect(String(await once(stream, 'data'))).toMatch(/^HTTP\/1.1 403 [\s\S]*RBAC: access denied$/)
  expect(asked).toHaveLength(1)
  expect(asked[0]).toContain('URI=spiffe://example.org/ns/shop/sa/web')
  stream.end()
  session.close()
  await expect
    .poll(() => proxy.access.map(({ path, status }) => [path, status]))
    .toEqual([
      ['/public', 200],
      ['/admin', 403],
    ])
})

test('HTTP/2 inside a tunnel is judged, too', async () => {
  const backend = createHttp2Server()
  backend.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200 })
    stream.end(`you asked for ${headers[':path']}`)
  })
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const { port: workload } = backend.address() as AddressInfo // cast: it listens on TCP
  const spec = '{ action: ALLOW, rules: [{ to: [{ operation: { paths: ["/public"] } }] }] }'
  const proxy = await startListeners(
    sourceOf(db),
    'hbone { listen = "127.0.0.1:0" }',
    policy('public', spec),
  )
  stack.push(proxy)
  const session = await connectHbone(proxy.port('hbone'))
  const { stream, status } = await openTunnel(session, `127.0.0.1:${workload}`)
  expect(status).toBe(200)
  const inner = connectHttp2('http://db', { createConnection: () => stream })
  const ask = async (path: string) => {
    const asking = inner.request({ ':path': path })
    const body = asking.toArray()
    const [headers] = await once(asking, 'response')
    return [headers[':status'], (await body).join('')]
  }
  expect(await ask('/public')).toEqual([200, 'you asked for /public'])
  expect(await ask('/admin')).toEqual([403, 'RBAC: access denied'])
  inner.destroy()
  session.destroy()
  backend.close()
})

test('at a port that may carry anything, a server that speaks first is waited for and heard', async () => {
  const { port, authority } = await startServer(
    '',
    (socket) => void socket.write('220 ready'),
    false,
  )
  const session = await connectHbone(port)
  const { stream } = await openTunnel(session, authority)
  expect(String(await once(stream, 'data'))).toBe('220 ready')
  session.destroy()
})

test('a workload that is not there is answered 503', async () => {
  const { port, proxy, authority, workload } = await startServer()
  await workload[Symbol.asyncDispose]()
  const session = await connectHbone(port)
  expect((await openTunnel(session, authority)).status).toBe(503)
  expect(proxy.access).toMatchObject([
    { response_flags: 'CONNECT', reason: expect.stringContaining('ECONNREFUSED') },
  ])
  session.close()
})

test('targets that are not the workload’s are answered 400', async () => {
  const { port, proxy, workload } = await startServer()
  const session = await connectHbone(port)
  for (const authority of [
    `127.0.0.2:${workload.port}`,
    'db.shop:80',
    `127.0.0.1:${port}`,
    '127.0.0.1',
  ]) {
    expect((await openTunnel(session, authority)).status).toBe(400)
  }
  const asking = session.request({
    ':method': 'GET',
    ':path': '/',
    ':scheme': 'https',
    ':authority': 'a:1',
  })
  asking.end()
  const [answer] = await once(asking, 'response')
  expect(answer[':status']).toBe(400)
  expect(workload.seen()).toBe(0)
  expect(proxy.access.map(({ response_flags }) => response_flags)).toEqual(Array(5).fill('CONNECT'))
  session.close()
})

test('a change of policy resets the tunnels that it denies, and leaves the others and the connection alone', async () => {
  const { port, authority, proxy } = await startServer()
  const orders = await identityOf(ca, '/ns/shop/sa/orders')
  const [one, other] = await Promise.all([connectHbone(port), connectHbone(port, sourceOf(orders))])
  const denied = await openTunnel(one, authority)
  const kept = await openTunnel(other, authority)
  await expect.poll(() => proxy.context.connections.size).toBe(4)
  const closed = closeOf(denied.stream)
  proxy.writePolicies(
    policy(
      'web',
      '{ action: DENY, rules: [{ from: [{ source: { principals: ["*/sa/web"] } }] }] }',
    ),
  )
  await closed
  expect(denied.stream.rstCode).toBe(constants.NGHTTP2_CONNECT_ERROR)
  kept.stream.write('still here')
  expect(String(await once(kept.stream, 'data'))).toBe('still here')
  expect((await openTunnel(one, authority)).status).toBe(401)
  expect(proxy.access).toMatchObject([
    {
      reason: expect.stringContaining(
        'policy change: explicitly denied by: ns[shop]-policy[web]-rule[0]',
      ),
    },
    { response_flags: 'DENY' },
  ])
  one.destroy()
  other.destroy()
})

test('a peer whose bundle is taken away loses its connection with all tunnels', async () => {
  const { port, authority, proxy } = await startServer()
  const session = await connectHbone(port)
  await openTunnel(session, authority)
  const closed = closeOf(session)
  proxy.context.connections.rejudgePeers(new Map(), new Date(proxy.context.clock.now()))
  await closed
})

test('who offers no h2, shows another trust domain’s identity, or none, gets nothing', async () => {
  const { port, authority, workload, proxy } = await startServer()
  const partner = await currentCa('partner.org')
  const stranger = new FakeTlsIdentity(
    contextOf(await identityOf(partner, '/ns/shop/sa/web'), [partner.bundle, ca.bundle]),
  )
  const lost = async (session: Awaited<ReturnType<typeof connectHbone>>) => {
    const { status } = await openTunnel(session, authority)
    session.destroy()
    return status
  }
  await expect(connectHbone(port, sourceOf(web), ['http/1.1'])).rejects.toThrow(
    /alert|ALPN|protocol/i,
  )
  expect(await lost(await connectHbone(port, stranger))).toBe(0)
  expect(await lost(await connectHbone(port, sourceOf(web), []))).toBe(0)
  expect(workload.seen()).toBe(0)
  expect(proxy.access.map(({ response_flags }) => response_flags)).toEqual(
    Array(3).fill('TLS_FAILURE'),
  )
})

test('drained, a connection takes no more tunnels and lets those end that it has', async () => {
  const { port, authority, proxy } = await startServer()
  const session = await connectHbone(port)
  const { stream } = await openTunnel(session, authority)
  const goaway = once(session, 'goaway')
  proxy.context.connections.drain()
  await goaway
  stream.end('last words')
  expect((await stream.toArray()).join('')).toBe('last words')
  await proxy.context.connections.empty()
})
