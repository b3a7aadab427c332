import { once } from 'node:events'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { expect, test } from 'vitest'
import { get } from '../get.ts'
import { startListeners } from '../pair.ts'
import { startCollector } from './collector.ts'
import {
  CLIENT,
  db,
  KEPT,
  SERVER,
  SPAN,
  sourceOf,
  startPair,
  startWorkload,
  TRACE,
} from './traced-pair.ts'

const DROPPED = `00-${TRACE}-${SPAN}-00`

test('one trace goes from the caller through both proxies to the workload, each the child of the one before', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, collector)
  const headers = { traceparent: KEPT, tracestate: 'shop=1', host: 'db.shop:8080' }
  expect(await get(pair.port, '/public/a?token=secret', headers)).toBe(200)
  await expect.poll(() => collector.spans).toHaveLength(2)
  const client = collector.spans.find(({ kind }) => kind === CLIENT)
  const server = collector.spans.find(({ kind }) => kind === SERVER)
  expect(client).toMatchObject({
    ...{ traceId: TRACE, parentSpanId: SPAN, traceState: 'shop=1', name: 'GET', status: {} },
    service: 'web.shop',
    attributes: {
      'http.request.method': 'GET',
      'http.response.status_code': '200',
      'url.path': '/public/a',
      'server.address': 'db.shop',
      'server.port': '8080',
      'network.protocol.version': '1.1',
      'spiffe.self_id': 'spiffe://example.org/ns/shop/sa/web',
      'spiffe.peer_id': 'spiffe://example.org/ns/shop/sa/db',
    },
  })
  expect(server).toMatchObject({
    ...{ traceId: TRACE, parentSpanId: client?.spanId, traceState: 'shop=1', service: 'db.shop' },
    attributes: {
      'spiffe.self_id': 'spiffe://example.org/ns/shop/sa/db',
      'spiffe.peer_id': 'spiffe://example.org/ns/shop/sa/web',
      'steeple.verdict': 'allow',
      'steeple.policy': 'shop/only-public',
      'steeple.mutual_tls': true,
    },
  })
  expect(workload.seen).toMatchObject([
    { traceparent: `00-${TRACE}-${server?.spanId}-01`, tracestate: 'shop=1' },
  ])
  expect(JSON.stringify(collector.spans)).not.toContain('secret')
  const took = BigInt(server?.endTimeUnixNano ?? 0) - BigInt(server?.startTimeUnixNano ?? 1)
  expect(took >= 0n).toBe(true)
  expect(pair.server.access).toMatchObject([{ traceparent: workload.seen[0]?.traceparent }])
})

test('without a caller’s trace the first proxy begins one, and the second goes on with it', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, collector)
  await get(pair.port, '/public')
  await expect.poll(() => collector.spans).toHaveLength(2)
  const client = collector.spans.find(({ kind }) => kind === CLIENT)
  const server = collector.spans.find(({ kind }) => kind === SERVER)
  expect(client).not.toHaveProperty('parentSpanId')
  expect(server).toMatchObject({ traceId: client?.traceId, parentSpanId: client?.spanId })
})

test('a denied request has its span, with the policy’s word', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, collector)
  expect(await get(pair.port, '/private', { traceparent: KEPT })).toBe(403)
  await expect.poll(() => collector.spans).toHaveLength(2)
  expect(collector.spans.find(({ kind }) => kind === SERVER)).toMatchObject({
    // Not the server's fault.
    status: {},
    attributes: {
      'http.response.status_code': '403',
      'steeple.verdict': 'deny',
      'steeple.verdict_reason': 'no-allow-matched',
    },
  })
  expect(collector.spans.find(({ kind }) => kind === CLIENT)).toMatchObject({
    status: { code: 2 },
    attributes: { 'error.type': '403' },
  })
  expect(workload.seen).toEqual([])
})

test('an answer of 5xx is an error on both sides, one of 404 on the client’s alone', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, collector)
  for (const status of [503, 404]) await get(pair.port, `/public/${status}`)
  await expect.poll(() => collector.spans).toHaveLength(4)
  const seen = collector.spans.map(({ kind, status, attributes }) => [
    ...[kind, attributes['http.response.status_code'], status.code, attributes['error.type']],
  ])
  expect(seen.sort()).toEqual(
    [
      [CLIENT, '404', 2, '404'],
      [CLIENT, '503', 2, '503'],
      [SERVER, '404', undefined, undefined],
      [SERVER, '503', 2, '503'],
    ].sort(),
  )
})

test('a caller’s refusal holds: nothing is sent, and its headers reach the workload as they were', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, collector)
  await get(pair.port, '/public', { traceparent: DROPPED, tracestate: 'a=1' })
  await get(pair.port, '/public', { b3: '0' })
  // One that is kept, after which the others would have come too.
  await get(pair.port, '/public', { traceparent: KEPT.replace(SPAN, '00000000000000aa') })
  await expect.poll(() => collector.spans).toHaveLength(2)
  expect(workload.seen[0]).toMatchObject({ traceparent: DROPPED, tracestate: 'a=1' })
  expect(workload.seen[1]).toMatchObject({ b3: '0' })
  expect(workload.seen[1]).not.toHaveProperty('traceparent')
})

test('what the dice leave out is not sent, and those behind are told so', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, { ...collector, settings: 'sampling = 0' })
  await get(pair.port, '/public')
  expect(workload.seen[0]?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  await get(pair.port, '/public', { traceparent: KEPT })
  await expect.poll(() => collector.spans).toHaveLength(2)
  expect(collector.spans.map(({ traceId }) => traceId)).toEqual([TRACE, TRACE])
})

test('B3 is read where there is no traceparent, and handed on in its own form beside it', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, { ...collector, settings: 'sampling = 0' })
  await get(pair.port, '/public', {
    'x-b3-traceid': SPAN,
    'x-b3-spanid': SPAN,
    'x-b3-sampled': '1',
  })
  await get(pair.port, '/public', { b3: `${TRACE}-${SPAN}-d` })
  await expect.poll(() => collector.spans).toHaveLength(4)
  const traces = collector.spans.map(({ traceId }) => traceId)
  const padded = `0000000000000000${SPAN}`
  expect(new Set(traces)).toEqual(new Set([padded, TRACE]))
  const [several, single] = workload.seen
  expect(several?.['x-b3-traceid']).toBe(SPAN)
  expect(several?.traceparent).toBe(`00-${padded}-${several?.['x-b3-spanid']}-01`)
  const [, , spanId] = single?.traceparent?.toString().split('-') ?? []
  expect(single?.b3).toMatch(`${TRACE}-${spanId}-d-`)
})

test('without the block nothing changes, whatever a caller sends', async () => {
  using collector = await startCollector()
  using workload = await startWorkload()
  await using pair = await startPair(workload.port, { ...collector, isTraced: false })
  await get(pair.port, '/public', { traceparent: KEPT })
  await get(pair.port, '/public', { traceparent: 'not one' })
  await get(pair.port, '/public')
  expect(workload.seen.map(({ traceparent }) => traceparent)).toEqual([KEPT, 'not one', undefined])
  expect(collector.asked).toEqual([])
})

test('a collector that hangs, and then is gone, delays no request', async () => {
  using workload = await startWorkload()
  const held = createTcpServer(() => {})
  held.listen(0, '127.0.0.1')
  await once(held, 'listening')
  const { port } = held.address() as AddressInfo // cast: it listens on TCP
  const reached = once(held, 'connection')
  await using pair = await startPair(workload.port, { url: `http://127.0.0.1:${port}` })
  expect(await get(pair.port, '/public')).toBe(200)
  const [socket] = await reached
  expect(await get(pair.port, '/public')).toBe(200)
  held.close()
  socket.destroy()
  expect(await get(pair.port, '/public')).toBe(200)
  const away = () =>
    pair.client.lines.filter(({ msg }) => msg === 'The collector does not take spans')
  await expect.poll(away).toHaveLength(1)
})

test('connections that carry no HTTP have no span', async () => {
  using collector = await startCollector()
  const echo = createTcpServer((socket) => void socket.pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as AddressInfo // cast: it listens on TCP
  const at = `listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}"  protocol = "tcp"  mtls = "policy"`
  const permissive = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: all, namespace: shop }
spec: { mtls: { mode: PERMISSIVE } }
`
  const tracing = `tracing { otlp_endpoint = "${collector.url}"  sampling = 100 }`
  {
    await using proxy = await startListeners(
      sourceOf(db),
      `inbound "db" { ${at} } ${tracing}`,
      permissive,
    )
    const socket = connect(proxy.port('db'), '127.0.0.1')
    socket.end('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    expect((await socket.toArray()).join('')).toMatch('GET /')
  }
  expect(collector.asked).toEqual([]) // what had waited was sent at the end
  echo.close()
})
