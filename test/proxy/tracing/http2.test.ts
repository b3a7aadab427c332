import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startCollector } from './collector.ts'
import { CLIENT, KEPT, SERVER, startPair } from './traced-pair.ts'

test('HTTP/2 and gRPC have spans too, each stream its own', async () => {
  using collector = await startCollector()
  const seen: unknown[] = []
  const workload = createHttp2Server()
  workload.on('stream', (stream, headers) => {
    seen.push(headers.traceparent)
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    )
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5' }))
    stream.end()
  })
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  await using pair = await startPair(port, { ...collector, protocol: 'http2' })
  const session = connectHttp2(`http://127.0.0.1:${pair.port}`)
  const ask = async (headers: Record<string, string>) => {
    const stream = session.request(headers)
    stream.end()
    await once(stream, 'response')
    stream.resume()
    await once(stream, 'close')
  }
  const grpc = { ':method': 'POST', 'content-type': 'application/grpc', traceparent: KEPT }
  await Promise.all([
    ask({ ...grpc, ':path': '/shop.Cart/Add' }),
    ask({ ...grpc, ':path': '/shop.Cart/Add' }),
    ask({ ...grpc, ':path': '/shop.Admin/Wipe' }),
  ])
  await expect.poll(() => collector.spans).toHaveLength(6)
  expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(6)
  const added = collector.spans.filter(({ name }) => name === 'shop.Cart/Add')
  expect(added).toHaveLength(4)
  const [client] = added.filter(({ kind }) => kind === CLIENT)
  expect(client).toMatchObject({
    status: { code: 2 }, // NOT_FOUND, which the client did not want
    attributes: {
      ...{ 'rpc.system': 'grpc', 'rpc.service': 'shop.Cart', 'rpc.method': 'Add' },
      ...{ 'rpc.grpc.status_code': '5', 'network.protocol.version': '2' },
    },
  })
  expect(collector.spans.find(({ parentSpanId }) => parentSpanId === client?.spanId)).toMatchObject(
    {
      ...{ kind: SERVER, status: {}, attributes: { 'rpc.grpc.status_code': '5' } },
    },
  )
  const denied = collector.spans.filter(({ name }) => name === 'shop.Admin/Wipe')
  expect(denied.map(({ attributes }) => attributes['rpc.grpc.status_code'])).toEqual(['7', '7'])
  expect(seen).toHaveLength(2)
  session.close()
  workload.close()
})
