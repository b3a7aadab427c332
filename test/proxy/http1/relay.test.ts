/** HTTP/1 from a client's socket to a server's and back, by real sockets. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { deny, forward, openHttp1Proxy } from '../http/judged-proxy.ts'
import { dial, listenRaw } from '../http/raw-client.ts'

const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`
const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

test('a request and its response pass byte for byte when nothing concerns the connection', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  const request = get('/x', 'x-ODD-case:  1 ')
  client.write(request)
  const upstream = await server.accepted()
  expect(await upstream.until('\r\n\r\n')).toBe(request)
  upstream.write(ok('hello'))
  expect(await client.until('hello')).toBe(ok('hello'))
  expect(proxy.records).toMatchObject([
    {
      seen: 'GET /x',
      status: 200,
      bytesReceived: 0,
      bytesSent: 5,
      details: 'via_upstream',
      flags: [],
    },
  ])
})

test('requests that were sent ahead are answered in their order, on one upstream connection', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(`${get('/1')}${get('/2')}${get('/3')}`)
  const upstream = await server.accepted()
  for (const path of ['/1', '/2', '/3']) {
    await upstream.until(path)
    expect(upstream.received.match(/GET/g)).toHaveLength(Number(path.slice(1)))
    upstream.write(ok(`body of ${path};`))
  }
  const received = await client.until('body of /3;')
  expect(received).toBe(['/1', '/2', '/3'].map((path) => ok(`body of ${path};`)).join(''))
  expect(server.count).toBe(1)
})

test('what is judged of a request is its own path, wherever the bytes behind another request are cut', async () => {
  const judge = ({ path }: { readonly path: string }) => (path === '/admin' ? deny : forward())
  const [first, second] = [get('/first'), get('/admin', 'X: /first /first /first /first /first')]
  for (let cut = 1; cut < second.length; cut += 5) {
    await using server = await listenRaw()
    await using proxy = await openHttp1Proxy({ upstreamPort: server.port, judge })
    await using client = await dial(proxy.port)
    client.write(first + second.slice(0, cut))
    const upstream = await server.accepted()
    await upstream.until('\r\n\r\n')
    upstream.write(ok('hello'))
    await client.until('hello')
    client.write(second.slice(cut))
    expect(await client.until('denied')).toContain('HTTP/1.1 403 Forbidden')
    expect(upstream.received).toBe(first)
    expect(proxy.records.at(-1)).toMatchObject({ seen: 'GET /admin' })
  }
})

test.each(['\r\n', '\r\n\r\n'])(
  'what is judged of a request behind empty lines (%j) is its own path, wherever its bytes are cut',
  async (blank) => {
    const judge = ({ path }: { readonly path: string }) => (path === '/admin' ? deny : forward())
    const request = blank + get('/admin', 'X: /first')
    for (let cut = 1; cut < request.length; cut++) {
      await using server = await listenRaw()
      await using proxy = await openHttp1Proxy({ upstreamPort: server.port, judge })
      await using client = await dial(proxy.port)
      client.write(request.slice(0, cut))
      for (let turn = 0; turn < 4; turn++) await nextTurn() // it is read on its own
      client.write(request.slice(cut))
      expect(await client.until('denied')).toContain('HTTP/1.1 403 Forbidden')
      expect(proxy.records).toMatchObject([{ seen: 'GET /admin' }])
      expect(server.count).toBe(0)
    }
  },
)

test('a thousand denied requests in one write are answered one by one', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port, judge: () => deny })
  await using client = await dial(proxy.port)
  client.write(get('/').repeat(1000) + get('/last', 'Connection: close'))
  const received = await client.ended
  expect(received.match(/HTTP\/1\.1 403 Forbidden/g)).toHaveLength(1001)
  expect(proxy.records).toHaveLength(1001)
  expect(server.count).toBe(0)
})

test('a denial is 403 with the text of Envoy, says why in the record alone, and keeps the connection', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({
    upstreamPort: server.port,
    judge: (head) => (head.path === '/admin' ? deny : forward()),
  })
  await using client = await dial(proxy.port)
  client.write(get('/admin'))
  const received = await client.until('denied')
  expect(received).toContain(
    'HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 19\r\n',
  )
  expect(received).toMatch(/\r\n\r\nRBAC: access denied$/)
  expect(received).not.toContain('policy[')
  client.write(get('/x'))
  const upstream = await server.accepted()
  await upstream.until('/x')
  upstream.write(ok('yes'))
  await client.until('yes')
  expect(proxy.records[0]?.details).toBe(
    'rbac_access_denied_matched_policy[ns[shop]-policy[cart]-rule[0]]',
  )
})

test('a denied gRPC request gets status 200 with grpc-status 7', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port, judge: () => deny })
  await using client = await dial(proxy.port)
  client.write(get('/a.B/C', 'Content-Type: application/grpc+proto'))
  const received = await client.until('\r\n\r\n')
  expect(received).toContain(
    'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 7\r\n',
  )
  expect(received).toContain('grpc-message: RBAC: access denied\r\n')
  expect(proxy.records[0]?.grpcStatus).toBe(7)
})

test('a denied request with a body is answered before its body ends, and the rest is never sent on', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port, judge: () => deny })
  await using client = await dial(proxy.port)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf')
  expect(await client.ended).toContain('connection: close\r\n')
  expect(server.count).toBe(0)
})

test('HEAD is answered without a body by us as by the server', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({
    upstreamPort: server.port,
    judge: (head) => (head.path === '/admin' ? deny : forward()),
  })
  await using client = await dial(proxy.port)
  client.write('HEAD /admin HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(await client.until('\r\n\r\n')).toMatch(/content-length: 19\r\n.*\r\n\r\n$/s)
  client.write(`HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n${get('/y')}`)
  const upstream = await server.accepted()
  await upstream.until('/x')
  upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
  await upstream.until('/y')
})

test('a chunked body with its trailer passes untouched, both ways', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n'
  const body = '5;a=b\r\nhello\r\n00A\r\n0123456789\r\n0\r\nx: y\r\n\r\n'
  client.write(head)
  for (const byte of body) client.write(byte)
  const upstream = await server.accepted()
  expect(await upstream.until('x: y\r\n\r\n')).toBe(head + body)
  const response = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`
  upstream.write(response)
  expect(await client.until('x: y\r\n\r\n')).toBe(response)
  client.write(get('/next'))
  await upstream.until('/next')
})

test.for([
  ['a bare LF in a chunk size', '5\nhello\r\n'],
  ['a chunk longer than its size', '5\r\nhello!\r\n'],
  ['a size that is no number', 'x\r\n'],
  ['a size beyond all numbers', 'fffffffffffffffff\r\n'],
  ['white space after a size', '5 \r\nhello\r\n'],
  ['an endless chunk extension', `5;${'a'.repeat(300)}\r\nhello\r\n`],
  ['a quoted chunk extension', '5;a="b"\r\nhello\r\n'],
  ['Content-Length in the trailer', '0\r\nContent-Length: 5\r\n\r\n'],
  ['the client certificate in the trailer', '0\r\nx-forwarded-client-cert: a\r\n\r\n'],
  ['a folded trailer', '0\r\nx: y\r\n z\r\n\r\n'],
] as const)(
  'a request is cut off for %s, and the upstream never gets its end',
  async ([, body]) => {
    await using server = await listenRaw()
    await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
    await using client = await dial(proxy.port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    const upstream = await server.accepted()
    await upstream.until('\r\n\r\n')
    client.write(body)
    expect(await client.ended).toContain('HTTP/1.1 400 Bad Request')
    expect((await upstream.ended).endsWith('\r\n\r\n')).toBe(true)
    expect(proxy.records).toMatchObject([{ status: 400, flags: ['DPE'] }])
  },
)

test('100-continue waits for the server: its 100 reaches the client, then the body the server', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write('PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
  const upstream = await server.accepted()
  await upstream.until('100-continue')
  upstream.write('HTTP/1.1 100 Continue\r\n\r\n')
  await client.until('100 Continue\r\n\r\n')
  client.write('body')
  await upstream.until('body')
  upstream.write('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n')
  upstream.write(ok('done'))
  expect(await client.until('done')).toContain('103 Early Hints')
})

test('an upgrade becomes a tunnel, which each side may close in its own time', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/chat', 'Connection: keep-alive, Upgrade', 'Upgrade: websocket'))
  const upstream = await server.accepted()
  expect(await upstream.until('\r\n\r\n')).toMatch(/Upgrade: websocket\r\nconnection: upgrade\r\n/)
  const answer =
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  upstream.write(`${answer}first`)
  expect(await client.until('first')).toBe(`${answer}first`)
  client.write('\0\n not HTTP')
  await upstream.until(' not HTTP')
  client.socket.end()
  await upstream.ended
  upstream.write('last words')
  upstream.socket.end()
  expect(await client.closed).toBe(`${answer}firstlast words`)
  await expect.poll(() => proxy.records.length).toBe(1)
  expect(proxy.records[0]).toMatchObject({
    status: 101,
    bytesReceived: 11,
    bytesSent: 15,
    flags: [],
  })
})

test.for([
  ['an upgrade that nobody asked for', get('/'), 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['two lengths', get('/'), 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'a length and chunks',
    get('/'),
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a coding that is not chunked', get('/'), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['no HTTP at all', get('/'), 'SSH-2.0-x\r\n'],
  ['a bare LF', get('/'), 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
  ['an endless head', get('/'), `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`],
  ['endless interim responses', get('/'), 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(20)],
  [
    'h2c, which is not passed on',
    get('/', 'Connection: Upgrade', 'Upgrade: h2c'),
    'HTTP/1.1 101 x\r\n\r\n',
  ],
] as const)('a response with %s becomes 502', async ([, request, response]) => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(request)
  const upstream = await server.accepted()
  await upstream.until('\r\n\r\n')
  upstream.write(response)
  const received = await client.until('reset reason: protocol error')
  expect(received).toContain('HTTP/1.1 502 Bad Gateway')
  await upstream.ended
  expect(proxy.records).toMatchObject([{ status: 502, flags: ['UPE'] }])
})

test('bytes behind a response are thrown away with their connection, and reach no other request', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/1'))
  const first = await server.accepted()
  await first.until('/1')
  first.write(`${ok('one')}${ok('smuggled')}`)
  await client.until('one')
  client.write(get('/2'))
  const second = await server.accepted()
  await second.until('/2')
  second.write(ok('two'))
  expect(await client.until('two')).not.toContain('smuggled')
})

test('bytes on an idle upstream connection close it', async () => {
  await using server = await listenRaw()
  await using proxy = await openHttp1Proxy({ upstreamPort: server.port })
  await using client = await dial(proxy.port)
  client.write(get('/1'))
  const upstream = await server.accepted()
  await upstream.until('/1')
  upstream.write(ok('one'))
  await client.until('one')
  expect(proxy.pool.idle).toBe(1)
  upstream.write(ok('smuggled'))
  await upstream.ended
  expect(proxy.pool).toMatchObject({ idle: 0, open: 0 })
})
