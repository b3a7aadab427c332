/** HTTP/2 and gRPC from a client's stream to a server's and back, by real sockets. */
import { once } from 'node:events'
import { constants } from 'node:http2'
import { expect, test } from 'vitest'
import { deny, forward, openHttp2Proxy } from '../http/judged-proxy.ts'
import { dialHttp2, listenHttp2, type OnStream, withPseudoHeaders } from './http2-peers.ts'

/** Answers with the header list that it was sent. */
const showHeaders: OnStream = (stream, raw) => {
  stream.respond({ ':status': 200 })
  stream.end(JSON.stringify(raw))
}

test('a request and its response pass with their headers in order, repeated ones apart', async () => {
  await using server = await listenHttp2(showHeaders)
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const answer = await client.ask([':path', '/x?y', 'b', '1', 'a', '2', 'b', '3', 'te', 'trailers'])
  expect(JSON.parse(answer.body)).toEqual([
    ...[':method', 'GET', ':path', '/x?y', ':scheme', 'http', ':authority', 'a'],
    ...['b', '1', 'a', '2', 'b', '3', 'te', 'trailers'],
  ])
  await expect
    .poll(() => proxy.records)
    .toMatchObject([{ seen: 'GET /x?y', status: 200, bytesSent: answer.body.length, flags: [] }])
})

test('edits replace the path, drop every line of a name and add their own', async () => {
  await using server = await listenHttp2(showHeaders)
  const edits = { path: '/b', remove: ['x-user'], add: [['x-user', 'é']] } as const
  await using proxy = await openHttp2Proxy({
    upstreamPort: server.port,
    judge: () => forward(edits),
  })
  await using client = await dialHttp2(proxy.port)
  const answer = await client.ask(['x-user', 'forged', 'host', 'A', 'x-user', 'again'])
  expect(JSON.parse(answer.body).slice(2)).toEqual([
    ...[':path', '/b', ':scheme', 'http', ':authority', 'a'],
    ...['x-user', Buffer.from('é').toString('latin1')],
  ])
})

test('bodies and trailers pass both ways, as gRPC needs them', async () => {
  await using server = await listenHttp2((stream) => {
    let sent: string[] = []
    stream.on('trailers', (_headers, _flags, raw: string[]) => {
      sent = raw
    })
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '5', sent: sent.join('=') })
    })
    stream.pipe(stream)
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const body = 'x'.repeat(700_000)
  const headers = [':method', 'POST', 'content-type', 'application/grpc', 'te', 'trailers']
  const answer = await client.ask(headers, body, { checksum: '1' })
  expect(answer.body).toBe(body)
  expect(answer.trailers).toEqual(['grpc-status', '5', 'sent', 'checksum=1'])
  await expect
    .poll(() => proxy.records)
    .toMatchObject([{ grpcStatus: 5, bytesReceived: body.length, bytesSent: body.length }])
})

test('a trailer with a name that we judge or add is refused, and the upstream never gets its end', async () => {
  let ended = false
  await using server = await listenHttp2((stream) => {
    stream.resume()
    stream.once('end', () => {
      ended = stream.rstCode === 0
    })
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const answer = await client.ask([':method', 'POST'], 'body', {
    'x-forwarded-client-cert': 'URI=x',
  })
  expect(answer.status).toBe(400)
  expect(proxy.records[0]?.details).toContain('x-forwarded-client-cert stands in a trailer')
  expect(ended).toBe(false)
})

test('an answer of a head alone stays one, and says its grpc-status', async () => {
  await using server = await listenHttp2((stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true })
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const answer = await client.ask([':method', 'POST', 'content-type', 'application/grpc'], 'x')
  expect(answer).toMatchObject({ status: 200, body: '', trailers: [], code: 0 })
  await expect.poll(() => proxy.records).toMatchObject([{ grpcStatus: 12 }])
})

test('a denial is 403 with the text of Envoy, and grpc-status 7 for gRPC; the server sees neither', async () => {
  await using server = await listenHttp2(showHeaders)
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port, judge: () => deny })
  await using client = await dialHttp2(proxy.port)
  const plain = await client.ask([':method', 'POST'], 'body')
  expect(plain).toMatchObject({ status: 403, body: 'RBAC: access denied', code: 0 })
  expect(plain.headers).toContain('text/plain')
  const grpc = await client.ask(
    [':method', 'POST', 'content-type', 'application/grpc+proto'],
    'body',
  )
  expect(grpc).toMatchObject({ status: 200, body: '' })
  expect(grpc.headers).toEqual(expect.arrayContaining(['grpc-status', '7', 'RBAC: access denied']))
  expect(server.streams).toBe(0)
  expect(proxy.records).toMatchObject([
    { status: 403, grpcStatus: undefined },
    { status: 200, grpcStatus: 7 },
  ])
})

test.for([
  ['an unknown method', [':method', 'FOO'], 400],
  ['a method in lower case', [':method', 'get'], 400],
  ['a path that is none', [':path', 'x'], 400],
  ['* for anything but OPTIONS', [':path', '*'], 400],
  ['a path outside of ASCII', [':path', '/\xe9'], 400],
  ['another host beside the authority', ['host', 'b'], 400],
  ['two hosts', ['host', 'a', 'host', 'a'], 400],
  ['user information in the authority', [':authority', 'u@a'], 400],
  [
    'a name that an application reads as the client certificate',
    ['x_forwarded_client_cert', 'a'],
    400,
  ],
] as const)('a request with %s is refused', async ([, headers, status]) => {
  await using server = await listenHttp2(showHeaders)
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const answer = await client.ask(headers)
  // What nghttp2 refuses by itself is reset, and never reaches us.
  if (answer.status === 0) expect(answer.code).toBe(constants.NGHTTP2_PROTOCOL_ERROR)
  else {
    expect(answer.status).toBe(status)
    expect(proxy.records[0]?.details).toContain('http2.head_refused')
  }
  expect(server.streams).toBe(0)
})

test('more header lines than the bound reset the stream, and the connection goes on', async () => {
  await using server = await listenHttp2(showHeaders)
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port, limits: { headers: 20 } })
  await using client = await dialHttp2(proxy.port)
  const many = Array.from({ length: 40 }, (_, index) => [`x${index}`, 'y']).flat()
  const answer = await client.ask(many)
  expect(answer.status).toBe(0)
  expect(answer.code).not.toBe(0)
  expect((await client.ask([])).status).toBe(200)
  expect(server.streams).toBe(1)
})

test('CONNECT is refused: what is inside would be judged by nobody', async () => {
  await using server = await listenHttp2(showHeaders)
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const stream = client.session.request([':method', 'CONNECT', ':authority', 'a:1'])
  const [headers] = await once(stream, 'response')
  expect(headers[':status']).toBe(405)
})

test('cookies that come in pieces are judged as one line', async () => {
  await using server = await listenHttp2(showHeaders)
  const seen: (readonly string[])[] = []
  await using proxy = await openHttp2Proxy({
    upstreamPort: server.port,
    judge: (head) => {
      seen.push(head.headerLines('cookie'), head.headerLines(':authority'))
      return forward()
    },
  })
  await using client = await dialHttp2(proxy.port)
  await client.ask(['cookie', 'a=1', 'cookie', 'b=2'])
  expect(seen).toEqual([['a=1; b=2'], ['a']])
})

test('streams share a session up to the bound of streams, then another opens', async () => {
  const open: (() => void)[] = []
  await using server = await listenHttp2((stream) => {
    open.push(() => {
      stream.respond({ ':status': 200 })
      stream.end('x')
    })
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using one = await dialHttp2(proxy.port)
  await using two = await dialHttp2(proxy.port)
  const answers = Array.from({ length: 130 }, (_, index) => (index % 2 ? one : two).ask([]))
  await expect.poll(() => open.length).toBe(130)
  expect(proxy.pool.sessions).toBe(2)
  for (const end of open) end()
  expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true)
})

test('a stream that the server resets, or loses, is 503, or grpc-status 14', async () => {
  await using server = await listenHttp2((stream, raw) => {
    if (raw.includes('/lost')) stream.session?.destroy()
    else stream.close(constants.NGHTTP2_REFUSED_STREAM)
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  expect((await client.ask([':path', '/refused'])).body).toMatch(/remote refused stream reset$/)
  expect((await client.ask([':path', '/lost'])).body).toMatch(/connection termination$/)
  const grpc = await client.ask([':method', 'POST', 'content-type', 'application/grpc'], 'x')
  expect(grpc.headers).toEqual(expect.arrayContaining(['grpc-status', '14']))
})

test('a server that cannot be reached is 503 in the words of Envoy', async () => {
  const server = await listenHttp2(showHeaders)
  await server[Symbol.asyncDispose]()
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  expect((await client.ask([])).body).toContain('delayed connect error: Connection refused')
})

test('a response that breaks in its middle is reset, and never looks complete', async () => {
  await using server = await listenHttp2((stream) => {
    stream.respond({ ':status': 200 })
    // `close` with a code would send the end of the stream before it.
    stream.write('half', () => stream.destroy(new Error('broken')))
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  expect((await client.ask([])).code).toBe(constants.NGHTTP2_INTERNAL_ERROR)
})

test('a stream that its client resets is reset upstream', async () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  await using server = await listenHttp2((stream) => {
    stream.respond({ ':status': 200 })
    stream.write('x')
    stream.once('close', () => resolve(stream.rstCode))
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const stream = client.session.request(withPseudoHeaders([]))
  await once(stream, 'data')
  stream.close(constants.NGHTTP2_CANCEL)
  expect(await promise).toBe(constants.NGHTTP2_CANCEL)
  await expect.poll(() => proxy.records).toMatchObject([{ status: 200, flags: ['DC'] }])
})

test('rapid resets end the connection, and leave nothing behind', async () => {
  let arrived = () => {}
  await using server = await listenHttp2(() => arrived())
  await using proxy = await openHttp2Proxy({
    upstreamPort: server.port,
    limits: { resetBurst: 20, resetsPerSecond: 1 },
  })
  await using client = await dialHttp2(proxy.port)
  const reset = () => {
    if (client.session.destroyed || client.session.closed) return
    const stream = client.session.request(withPseudoHeaders([]))
    stream.on('error', () => {})
    // Not before it has arrived: a reset that overtakes its head is no stream at all.
    arrived = () => {
      stream.close(constants.NGHTTP2_CANCEL)
      reset()
    }
  }
  reset()
  await expect.poll(() => client.session.destroyed).toBe(true)
  await proxy.connections[0]?.closed
  expect(proxy.connections[0]?.inFlight).toBe(0)
  expect(server.streams).toBeLessThan(40)
})

test('an upload that its client breaks off is reset upstream, and never looks complete', async () => {
  const { promise, resolve } = Promise.withResolvers<readonly [boolean, number]>()
  await using server = await listenHttp2((stream) => {
    let ended = false
    stream.once('data', () => stream.respond({ ':status': 200 }))
    stream.once('end', () => {
      ended = stream.rstCode === 0 && !stream.aborted
    })
    stream.once('close', () => resolve([ended, stream.rstCode]))
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const stream = client.session.request(withPseudoHeaders([':method', 'POST']), {
    endStream: false,
  })
  stream.on('error', () => {})
  stream.write('half')
  await once(stream, 'response')
  stream.destroy(new Error('changed its mind'))
  expect(await promise).toEqual([false, constants.NGHTTP2_INTERNAL_ERROR])
})

test('a change of policy answers what waits and resets what streams', async () => {
  let allowed = true
  await using server = await listenHttp2((stream, raw) => {
    if (!raw.includes('/stream')) return
    stream.respond({ ':status': 200 })
    stream.write('x')
  })
  await using proxy = await openHttp2Proxy({
    upstreamPort: server.port,
    judge: () => (allowed ? forward() : deny),
  })
  await using client = await dialHttp2(proxy.port)
  const waiting = client.ask([':path', '/wait'])
  const streaming = client.session.request(withPseudoHeaders([':path', '/stream']))
  await once(streaming, 'data')
  streaming.on('error', () => {})
  await expect.poll(() => server.streams).toBe(2)
  proxy.connections[0]?.rejudge()
  allowed = false
  proxy.connections[0]?.rejudge()
  expect((await waiting).body).toBe('RBAC: access denied')
  await expect.poll(() => streaming.destroyed).toBe(true)
  expect(streaming.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
})

test('draining sends GOAWAY and lets the streams finish', async () => {
  const { promise, resolve } = Promise.withResolvers<() => void>()
  await using server = await listenHttp2((stream) => {
    resolve(() => {
      stream.respond({ ':status': 200 })
      stream.end('done')
    })
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  const goaway = once(client.session, 'goaway')
  const answer = client.ask([])
  const finish = await promise
  proxy.connections[0]?.drain()
  await goaway
  finish()
  expect((await answer).body).toBe('done')
  await proxy.connections[0]?.closed
})

test('a server that says nothing is 504', async () => {
  await using server = await listenHttp2(() => {})
  await using proxy = await openHttp2Proxy({
    upstreamPort: server.port,
    limits: { streamIdleMs: 2000 },
  })
  await using client = await dialHttp2(proxy.port)
  const answer = client.ask([])
  await expect.poll(() => server.streams).toBe(1)
  await proxy.pass(3000)
  expect(await answer).toMatchObject({ status: 504, body: 'stream timeout' })
})

test.for([
  [1, 200],
  [20, 502],
] as const)('%i early hints and then an answer are %i', async ([count, expected]) => {
  await using server = await listenHttp2((stream) => {
    for (let hint = 0; hint < count; hint += 1)
      stream.additionalHeaders({ ':status': 103, link: 'x' })
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  await using proxy = await openHttp2Proxy({ upstreamPort: server.port })
  await using client = await dialHttp2(proxy.port)
  expect((await client.ask([])).status).toBe(expected)
})

test('a judge that throws is 500 and nothing goes upstream', async () => {
  await using server = await listenHttp2(showHeaders)
  await using proxy = await openHttp2Proxy({
    upstreamPort: server.port,
    judge: () => {
      throw new Error('a bug')
    },
  })
  await using client = await dialHttp2(proxy.port)
  expect(await client.ask([])).toMatchObject({ status: 500, body: '' })
  expect(server.streams).toBe(0)
})
