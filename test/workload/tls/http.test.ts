import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { get, type RequestOptions } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Agent, fetch, request } from 'undici'
import { expect, test } from 'vitest'
import { toPemChain } from '../../../spiffe/x509/pem.ts'
import { type Authorize, authorizeAny, authorizeId } from '../../../workload/tls/authorize.ts'
import { connectHttp2, httpsAgent, undiciConnector } from '../../../workload/tls/http-clients.ts'
import type { Inner } from '../../../workload/tls/inner-server.ts'
import { createMtlsServer } from '../../../workload/tls/mtls-server.ts'
import { peerIdOf } from '../../../workload/tls/peer-id.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const both = [example.bundle, partner.bundle]
const source = async (ca: typeof example, path: string, id?: string) => {
  const fields = id === undefined ? {} : { uriSans: [id] }
  return new FakeTlsIdentity(contextOf(await identityOf(ca, path, { fields }), both))
}
const web = await source(example, '/web')
const db = await source(example, '/db')
const impostor = await source(partner, '/db', 'spiffe://example.org/db')
const onlyWeb = authorizeId('spiffe://example.org/web')
const onlyDb = authorizeId('spiffe://example.org/db')

async function serve(
  inner: Inner,
  {
    identity = db,
    authorize = onlyWeb,
  }: { identity?: FakeTlsIdentity; authorize?: Authorize } = {},
) {
  const server = createMtlsServer(identity, authorize, inner)
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    port,
    url: `https://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Answers with the ID of who asks. */
const http1 = (seen: string[] = []) =>
  createHttpServer((incoming, response) => {
    seen.push(peerIdOf(incoming))
    response.end(peerIdOf(incoming))
  })
const http2 = (seen: string[] = []) =>
  createHttp2Server((incoming, response) => {
    seen.push(peerIdOf(incoming))
    response.end(peerIdOf(incoming))
  })

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function getText(options: RequestOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  get(options, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk) => {
      text += chunk
    })
    response.on('end', () => resolve(text))
  }).on('error', reject)
  return await promise
}

test('https: a request reaches the application with the ID of its peer', async () => {
  await using server = await serve(http1())
  const agent = httpsAgent(web, onlyDb)
  const to = { host: '127.0.0.1', port: server.port, agent }
  expect(await getText(to)).toBe('spiffe://example.org/web')
  expect(await getText(to)).toBe('spiffe://example.org/web')
  agent.destroy()
})

test('https: the agent refuses an impostor, and sends it nothing', async () => {
  const seen: string[] = []
  await using server = await serve(http1(seen), { identity: impostor, authorize: authorizeAny() })
  const agent = httpsAgent(web, authorizeAny())
  await expect(getText({ host: '127.0.0.1', port: server.port, agent })).rejects.toMatchObject({
    code: 'CERTIFICATE_UNTRUSTED',
  })
  expect(seen).toEqual([])
})

test('https: the application never hears of a client that is refused', async () => {
  const seen: string[] = []
  await using server = await serve(http1(seen), { authorize: onlyDb })
  const agent = httpsAgent(web, onlyDb)
  await expect(getText({ host: '127.0.0.1', port: server.port, agent })).rejects.toThrow()
  expect(seen).toEqual([])
})

test('https: a request sent together with the handshake by a client without certificate is dropped', async () => {
  const seen: string[] = []
  await using server = await serve(http1(seen))
  const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false })
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'close')
  expect(seen).toEqual([])
})

test('https: a new SVID is used for new connections while a kept-alive one goes on', async () => {
  await using server = await serve(http1(), { authorize: authorizeAny() })
  const client = await source(example, '/first')
  const agent = httpsAgent(client, onlyDb, { maxSockets: 2 })
  const to = { host: '127.0.0.1', port: server.port, agent }
  expect(await getText(to)).toBe('spiffe://example.org/first')
  client.set(contextOf(await identityOf(example, '/second'), both))
  const answers = await Promise.all([getText(to), getText(to)])
  expect(answers.sort()).toEqual(['spiffe://example.org/first', 'spiffe://example.org/second'])
  agent.destroy()
})

test('undici: fetch and request over one dispatcher', async () => {
  await using server = await serve(http1())
  await using dispatcher = closing(new Agent({ connect: undiciConnector(web, onlyDb) }))
  const { agent } = dispatcher
  expect(await (await fetch(server.url, { dispatcher: agent })).text()).toBe(
    'spiffe://example.org/web',
  )
  const { body } = await request(server.url, { dispatcher: agent })
  expect(await body.text()).toBe('spiffe://example.org/web')
})

const closing = (agent: Agent) => ({ agent, [Symbol.asyncDispose]: () => agent.destroy() })

test('undici: refuses an impostor', async () => {
  const seen: string[] = []
  await using server = await serve(http1(seen), { identity: impostor, authorize: authorizeAny() })
  await using dispatcher = closing(new Agent({ connect: undiciConnector(web, authorizeAny()) }))
  await expect(request(server.url, { dispatcher: dispatcher.agent })).rejects.toMatchObject({
    code: 'CERTIFICATE_UNTRUSTED',
  })
  expect(seen).toEqual([])
})

test('undici: refuses plain http, so that a mistyped scheme sends nothing in the clear', async () => {
  const plain = createHttpServer((_, response) => response.end('plain'))
  plain.listen(0, '127.0.0.1')
  await once(plain, 'listening')
  await using dispatcher = closing(new Agent({ connect: undiciConnector(web, onlyDb) }))
  const address = plain.address()
  const port = typeof address === 'object' ? address?.port : 0
  await expect(
    request(`http://127.0.0.1:${port}/`, { dispatcher: dispatcher.agent }),
  ).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  plain.close()
})

test('http2: many requests on one verified session', async () => {
  await using server = await serve(http2())
  const session = await connectHttp2(web, onlyDb, server.url)
  expect(peerIdOf(session)).toBe('spiffe://example.org/db')
  const ask = async () => {
    const stream = session.request({ ':path': '/' })
    return (await readAll(stream)).toString()
  }
  expect(await Promise.all([ask(), ask()])).toEqual(Array(2).fill('spiffe://example.org/web'))
  session.close()
})

test('http2: a stream handler finds the ID too', async () => {
  const inner = createHttp2Server()
  inner.on('stream', (stream) => {
    stream.respond()
    stream.end(`${peerIdOf(stream)} ${peerIdOf(stream.session ?? { socket: undefined })}`)
  })
  await using server = await serve(inner)
  const session = await connectHttp2(web, onlyDb, server.url)
  const stream = session.request({ ':path': '/' })
  expect((await readAll(stream)).toString()).toBe(
    'spiffe://example.org/web spiffe://example.org/web',
  )
  session.close()
})

test('http2: refuses an impostor, a server that speaks HTTP/1.1 only, and plain http', async () => {
  await using bad = await serve(http2(), { identity: impostor, authorize: authorizeAny() })
  await expect(connectHttp2(web, authorizeAny(), bad.url)).rejects.toMatchObject({
    code: 'CERTIFICATE_UNTRUSTED',
  })
  await using old = await serve(http1())
  await expect(connectHttp2(web, onlyDb, old.url)).rejects.toThrow()
  await expect(connectHttp2(web, onlyDb, 'http://127.0.0.1:1/')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
  })
})

test('http2: refuses a client that does not agree on h2', async () => {
  const seen: string[] = []
  await using server = await serve(http2(seen))
  const { defaultSvid } = web.current()
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.port,
    cert: toPemChain(defaultSvid.chain),
    key: defaultSvid.key.export({ type: 'pkcs8', format: 'pem' }),
    rejectUnauthorized: false,
  })
  socket.on('error', () => {})
  await once(socket, 'close')
  expect(seen).toEqual([])
})

test('an upgraded connection keeps its peer', async () => {
  const inner = createHttpServer()
  inner.on('upgrade', (incoming, socket) => {
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n${peerIdOf(incoming)}`,
    )
  })
  await using server = await serve(inner)
  const agent = httpsAgent(web, onlyDb)
  const upgrading = get({
    host: '127.0.0.1',
    port: server.port,
    agent,
    headers: { Connection: 'upgrade', Upgrade: 'x' },
  })
  const [, socket, head]: [unknown, TLSSocket, Buffer] = (await once(upgrading, 'upgrade')) as [
    unknown,
    TLSSocket,
    Buffer,
  ]
  expect(Buffer.concat([head, await readAll(socket)]).toString()).toBe('spiffe://example.org/web')
  agent.destroy()
})

test('disposing lets a request finish and then closes kept-alive connections', async () => {
  const started = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const inner = createHttpServer(async (_, response) => {
    started.resolve()
    await finish.promise
    response.end('finished')
  })
  const server = await serve(inner)
  const agent = httpsAgent(web, onlyDb)
  const answer = getText({ host: '127.0.0.1', port: server.port, agent })
  await started.promise
  const disposed = server[Symbol.asyncDispose]()
  finish.resolve()
  expect(await answer).toBe('finished')
  agent.destroy()
  await disposed
})
