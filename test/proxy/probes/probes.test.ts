import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp, request } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { askWorkload } from '../../../proxy/probes/ask-workload.ts'
import type { AskProbe, ProbeQuestion } from '../../../proxy/probes/probe.ts'
import { serveProbes } from '../../../proxy/probes/serve-probes.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { currentCa, identityOf } from '../../fakes/svids.ts'

async function listening(server: Server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return { port, [Symbol.dispose]: () => void server.close() }
}

async function probing(question: ProbeQuestion, ask: AskProbe = askWorkload) {
  const listener = await serveProbes({
    ...{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, ask, clock: systemClock },
    ...{ probes: [{ name: 'a', question }], log: memoryLog().log },
  })
  const port = listener.address.kind === 'tcp' ? listener.address.port : 0
  return {
    port,
    async ask(path = '/probe/a', method = 'GET'): Promise<string> {
      const asking = request({ host: '127.0.0.1', port, path, method, agent: false }).end()
      const [response] = await once(asking, 'response')
      return `${response.statusCode} ${await text(response)}`.trim()
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

const httpAt = (port: number, more: object = {}) =>
  ({
    kind: 'http',
    port,
    path: '/ready?x=1',
    scheme: 'http',
    headers: { host: 'db', 'x-a': 'b' },
    ...more,
  }) as const

test('a question by HTTP goes with its path and headers, and only the status comes back', async () => {
  const seen: unknown[] = []
  using workload = await listening(
    createHttp(({ url, headers }, response) => {
      seen.push([url, headers.host, headers['x-a']])
      response.writeHead(418, { location: '/secret', 'set-cookie': 'secret' }).end('secret')
    }),
  )
  await using probes = await probing(httpAt(workload.port))
  expect(await probes.ask()).toBe('418 asked')
  expect(seen).toEqual([['/ready?x=1', 'db', 'b']])
})

test('a certificate of the workload’s own is not looked at, as by the kubelet', async () => {
  const { chain, key: der } = await identityOf(await currentCa('example.org'), '/db')
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
  const pem = key.export({ format: 'pem', type: 'pkcs8' })
  const cert = chain.map((one) => new X509Certificate(one).toString()).join('')
  using workload = await listening(createHttps({ key: pem, cert }, (_, response) => response.end()))
  await using probes = await probing(httpAt(workload.port, { scheme: 'https' }))
  expect(await probes.ask()).toBe('200 asked')
})

test.each([
  ['/probe/b', 'GET'],
  ['/probe/', 'GET'],
  ['/probe/a/../a', 'GET'],
  ['/probe/__proto__', 'GET'],
  ['/ready', 'GET'],
  ['/', 'GET'],
  ['/probe/a', 'POST'],
])('nothing else can be asked: %s by %s', async (path, method) => {
  await using probes = await probing({ kind: 'tcp', port: 1 }, async () => ({
    kind: 'answer',
    status: 200,
  }))
  expect(await probes.ask(path, method)).toBe('404 no such probe')
})

test('a connection is an answer, and none is not', async () => {
  const server = createServer((socket) => socket.on('error', () => {}))
  const workload = await listening(server)
  await using probes = await probing({ kind: 'tcp', port: workload.port })
  expect(await probes.ask()).toBe('200 asked')
  server.close()
  await expect.poll(() => probes.ask()).toBe('503 the workload does not answer')
})

test.each([
  ['serves', [0, 0, 0, 0, 2, 8, 1], '200 asked'],
  ['does not serve', [0, 0, 0, 0, 2, 8, 2], '503 asked'],
  ['knows nothing of it', [], '503 asked'],
  ['says too much', new Array(2_000).fill(1), '503 the workload does not answer'],
] as const)('a workload whose health service says that it %s', async (_, answer, expected) => {
  const asked: string[] = []
  const server = createHttp2((incoming, response) => {
    void (async () => {
      const body: Buffer[] = []
      for await (const chunk of incoming) body.push(chunk)
      asked.push(`${incoming.url} ${Buffer.concat(body).toString('hex')}`)
      response.writeHead(200, { 'content-type': 'application/grpc' })
      response.end(Buffer.from(answer))
    })()
  })
  using workload = await listening(server)
  await using probes = await probing({ kind: 'grpc', port: workload.port, service: 'db' })
  expect(await probes.ask()).toBe(expected)
  expect(asked).toEqual(['/grpc.health.v1.Health/Check 00000000040a026462'])
})

test('a workload that speaks no gRPC does not serve', async () => {
  using workload = await listening(createServer((socket) => void socket.end('no\r\n')))
  await using probes = await probing({ kind: 'grpc', port: workload.port, service: '' })
  expect(await probes.ask()).toMatch(/^503/)
})

test('who asks while the same is being asked gets that answer', async () => {
  let count = 0
  const gate = Promise.withResolvers<void>()
  await using probes = await probing({ kind: 'tcp', port: 1 }, async () => {
    count += 1
    await gate.promise
    return { kind: 'answer', status: 204 }
  })
  const answers = [probes.ask(), probes.ask(), probes.ask()]
  await expect.poll(() => count).toBe(1)
  gate.resolve()
  expect(await Promise.all(answers)).toEqual(['204', '204', '204'])
})

test.each([
  [
    'switches to another protocol',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ],
  [
    'is never through with what comes before an answer',
    'HTTP/1.1 100 Continue\r\n\r\n'.repeat(500),
  ],
  ['speaks no HTTP', '\u0000'.repeat(100)],
  [
    'says how long it is in two ways',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
])('a workload that %s does not answer, and the next question is asked', async (_, said) => {
  let asked = 0
  using workload = await listening(
    createServer((socket) => {
      asked += 1
      socket.on('error', () => {})
      socket.once('data', () => socket.end(said))
    }),
  )
  await using probes = await probing(httpAt(workload.port))
  expect(await probes.ask()).toBe('503 the workload does not answer')
  expect(await probes.ask()).toBe('503 the workload does not answer')
  expect(asked).toBe(2)
})

test('who holds many connections keeps nobody else from being answered', async () => {
  using workload = await listening(createHttp((_, response) => response.end()))
  await using probes = await probing(httpAt(workload.port))
  const held = Array.from({ length: 200 }, () =>
    connect({ host: '127.0.0.1', port: probes.port, localAddress: '127.0.0.9' }).on(
      'error',
      () => {},
    ),
  )
  const cutOff = () => held.filter(({ closed, destroyed }) => closed || destroyed).length
  await expect.poll(cutOff).toBe(200 - 32)
  expect(await probes.ask()).toBe('200 asked')
  for (const socket of held) socket.destroy()
})
