import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { startListeners } from '../pair.ts'

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')
const identity = () => new FakeTlsIdentity(contextOf(db, [ca.bundle]))

test('a client that has not ended its request gets the status of a server that answers early, through both proxies', async () => {
  const workload = createHttp2Server()
  workload.on('stream', (stream) => {
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5' }))
    stream.end()
  })
  workload.listen(0, '127.0.0.1')
  await once(workload, 'listening')
  const { port } = workload.address() as AddressInfo // cast: it listens on TCP
  await using server = await startListeners(
    identity(),
    `inbound "db" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${port}" }`,
  )
  await using client = await startListeners(
    identity(),
    `outbound "db" {
      listen = "127.0.0.1:0"  upstream = "127.0.0.1:${server.port('db')}"  protocol = "http2"
      authorize = ["spiffe://example.org"]
    }`,
  )
  const session = connectHttp2(`http://127.0.0.1:${client.port('db')}`)
  const headers = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc' }
  for (let call = 0; call < 10; call += 1) {
    const stream = session.request(headers)
    let status: unknown
    stream.once('trailers', (trailers) => {
      status = trailers['grpc-status']
    })
    stream.resume()
    await once(stream, 'close')
    expect(status).toBe('5')
  }
  session.close()
  workload.close()
})
