/** Peers that leave, wait, come late or change their mind, and a judge that does. */
import { expect, test } from 'vitest'
import { deny, forward, openHttp1Proxy } from '../http/judged-proxy.ts'
import { dial, listenRaw } from '../http/raw-client.ts'

const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`
const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const TERMINATED =
  'upstream connect error or disconnect/reset before headers. reset reason: connection termination'

test('a server that cannot be reached is 503 in the words of Envoy', async () => {
  const server = await listenRaw()
  await server[Symbol.asyncDispose]()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/'))
  const received = await client.until('refused')
  expect(received).toContain('HTTP/1.1 503 Service Unavailable')
  expect(received).toContain(
    'reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused',
  )
  expect(proxy.records).toMatchObject([{ status: 503, flags: ['UF'] }])
})

test('a server that closes before it answers is 503, and the client may go on', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/1'))
  const first = await server.accepted()
  await first.until('/1')
  first.write('HTTP/1.1 200 OK\r\nContent-')
  first.socket.end()
  expect(await client.until(TERMINATED)).toContain('HTTP/1.1 503')
  client.write(get('/2'))
  const second = await server.accepted()
  second.write(ok('two'))
  await client.until('two')
  expect(proxy.records[0]).toMatchObject({ flags: ['UC'] })
})

test.for([
  ['GET', 'goes out again, once'],
  ['POST', 'is answered with 503'],
] as const)('a %s on a kept connection that closes at that moment %s', async ([method]) => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/1'))
  const first = await server.accepted()
  await first.until('/1')
  first.write(ok('one'))
  await client.until('one')
  client.write(`${method} /2 HTTP/1.1\r\nHost: a\r\n\r\n`)
  await first.until('/2')
  first.socket.end()
  if (method === 'POST') {
    await client.until(TERMINATED)
    expect(server.count).toBe(1)
    return
  }
  const second = await server.accepted()
  await second.until('/2')
  second.socket.end()
  await client.until(TERMINATED)
  expect(server.count).toBe(2)
})

test('a response that breaks in its middle is cut off, and never looks complete', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/'))
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  upstream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel')
  await client.until('hel')
  upstream.socket.end()
  expect((await client.ended).endsWith('hel')).toBe(true)
  expect(proxy.records).toMatchObject([{ status: 200, flags: ['UC'] }])
})

test('a response without length ends with its connection, and so does the client’s', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/'))
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  upstream.write('HTTP/1.1 200 OK\r\n\r\nall of')
  upstream.write(' it')
  upstream.socket.end()
  expect(await client.ended).toBe('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it')
  expect(proxy.records).toMatchObject([{ status: 200, bytesSent: 9, flags: [] }])
})

test('a client that ends after its request still gets its answer', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.socket.end(get('/'))
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  upstream.write(ok('late'))
  expect(await client.closed).toBe(ok('late'))
})

test('a client that leaves takes its upstream request with it', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/'))
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  client.socket.resetAndDestroy()
  await upstream.ended
  await expect.poll(() => proxy.records).toMatchObject([{ status: 0, flags: ['DC'] }])
  await proxy.connections[0]?.closed
  await expect.poll(() => proxy.deadlines.size).toBe(0)
})

test('a client that stops in the middle of its body is no complete request', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.socket.end('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf')
  const upstream = await server.accepted()
  expect((await upstream.ended).replace('half', '')).toMatch(/\r\n\r\n$|^$/)
  await expect.poll(() => proxy.records).toMatchObject([{ status: 0, flags: ['DC'] }])
})

test('an answer that comes before the end of the request reaches the client', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf')
  const upstream = await server.accepted()
  await upstream.until('half')
  upstream.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig')
  upstream.socket.end()
  await client.ended
  expect(client.received).toContain('big')
  expect(proxy.records).toMatchObject([{ status: 413, flags: [] }])
})

test('a head that does not end in time is 408', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({
    upstreamPort: server.port,
    limits: { headTimeoutMs: 5000 },
  })
  await using client = await dial(proxy.port)
  client.write(`${get('/1')}GET / HT`)
  const upstream = await server.accepted()
  await upstream.until('/1')
  upstream.write(ok('one'))
  await client.until('one')
  await proxy.pass(6000)
  expect(await client.ended).toContain('HTTP/1.1 408 Request Timeout')
  expect(proxy.records[1]).toMatchObject({ status: 408, head: undefined, flags: ['RT'] })
})

test('a connection without a request is closed in the end', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port, limits: { idleMs: 5000 } })
  await using client = await dial(proxy.port)
  await expect.poll(() => proxy.connections.length).toBe(1)
  await proxy.pass(6000)
  expect(await client.ended).toBe('')
})

test.for([
  [{ responseTimeoutMs: 3000 }, 'upstream request timeout'],
  [{ streamIdleMs: 3000 }, 'stream timeout'],
] as const)('a server that says nothing is 504 by %j', async ([limits, text]) => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port, limits })
  await using client = await dial(proxy.port)
  client.write(get('/'))
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  await proxy.pass(4000)
  expect(await client.until(text)).toContain('HTTP/1.1 504 Gateway Timeout')
  await upstream.ended
})

test('a judge that throws, or rejects, is 500 and nothing goes upstream', async () => {
  await using server = await listenRaw()
  let calls = 0
  await using proxy = await openHttp1Proxy({
    upstreamPort: server.port,
    judge: () => {
      calls += 1
      if (calls === 1) throw new Error('a bug')
      return Promise.reject(new Error('another'))
    },
  })
  await using client = await dial(proxy.port)
  client.write(get('/1') + get('/2'))
  await expect.poll(() => client.received.match(/HTTP\/1\.1 500/g)).toHaveLength(2)
  expect(client.received).not.toContain('bug')
  expect(server.count).toBe(0)
})

test.for([
  { path: '/a b', remove: [], add: [] },
  { path: '', remove: [], add: [] },
  { path: undefined, remove: [], add: [['x', 'a\r\nb: c']] },
  { path: undefined, remove: [], add: [['x:', 'a']] },
] as const)('an edit that would break the head apart is refused: %j', async (edits) => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({
    upstreamPort: server.port,
    judge: () => forward(edits),
  })
  await using client = await dial(proxy.port)
  client.write(get('/'))
  expect(await client.until('\r\n\r\n')).toContain('HTTP/1.1 400')
  expect(server.count).toBe(0)
})

test('draining ends an idle connection at once, and a busy one with its response', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using idle = await dial(proxy.port)
  await using busy = await dial(proxy.port)
  busy.write(get('/'))
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  await expect.poll(() => proxy.connections.length).toBe(2)
  for (const connection of proxy.connections) connection.drain()
  expect(await idle.ended).toBe('')
  upstream.write(ok('done'))
  expect(await busy.ended).toBe(
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nconnection: close\r\n\r\ndone',
  )
})

test('a change of policy answers what waits, and cuts off what streams and what is upgraded', async () => {
  await using server = await listenRaw()
  let allowed = true
  const occasions: string[] = []
  await using proxy = await openHttp1Proxy({
    upstreamPort: server.port,
    judge: (_head, occasion) => {
      occasions.push(occasion)
      return allowed ? forward() : deny
    },
  })
  const clients = [await dial(proxy.port), await dial(proxy.port), await dial(proxy.port)]
  const [waiting, streaming, upgraded] = clients
  waiting?.write(get('/wait'))
  const first = await server.accepted()
  await first.until('/wait')
  streaming?.write(get('/stream'))
  const second = await server.accepted()
  second.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
  await streaming?.until('a\r\n')
  upgraded?.write(get('/chat', 'Connection: Upgrade', 'Upgrade: x'))
  const third = await server.accepted()
  third.write('HTTP/1.1 101 Switching Protocols\r\n\r\nhi')
  await upgraded?.until('hi')
  for (const connection of proxy.connections) connection.rejudge()
  expect(proxy.records).toHaveLength(0)
  allowed = false
  for (const connection of proxy.connections) connection.rejudge()
  expect(await waiting?.ended).toContain('RBAC: access denied')
  expect(await streaming?.ended).not.toContain('0\r\n\r\n')
  await upgraded?.ended
  await Promise.all([first.ended, second.ended, third.ended])
  expect(proxy.records.map(({ status }) => status).sort()).toEqual([101, 200, 403])
  expect(occasions.filter((occasion) => occasion === 'request')).toHaveLength(3)
  for (const client of clients) await client[Symbol.asyncDispose]()
})

test('a policy that changes while a request is judged decides it', async () => {
  await using server = await listenRaw()
  const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let calls = 0
  await using proxy = await openHttp1Proxy({
    upstreamPort: server.port,
    judge: async () => {
      calls += 1
      await answers[calls - 1]?.promise
      return calls === 1 ? forward() : deny
    },
  })
  await using client = await dial(proxy.port)
  client.write(get('/'))
  await expect.poll(() => calls).toBe(1)
  proxy.connections[0]?.rejudge()
  for (const { resolve } of answers) resolve()
  await client.until('RBAC: access denied')
  expect(server.count).toBe(0)
})

test('a client that does not read stops the server, at a bounded number of bytes', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.socket.pause()
  client.write(get('/'))
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  const total = 64 * 1024 * 1024
  const piece = Buffer.alloc(1024 * 1024, 'x')
  upstream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
  let sent = 0
  while (upstream.socket.write(piece)) sent += piece.length
  sent += piece.length
  for (; sent < total; sent += piece.length) upstream.socket.write(piece)
  // What the kernel and two socket buffers hold is far less than what is on offer.
  await expect.poll(() => proxy.connections[0]?.inFlight).toBe(1)
  expect(upstream.socket.writableLength).toBeGreaterThan(total / 4)
  client.socket.resume()
  await expect.poll(() => proxy.records.length, { timeout: 8000 }).toBe(1)
  expect(proxy.records[0]?.bytesSent).toBe(total)
})
