import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { parseIpBlock } from '../../../policy/ip-block.ts'
import type { Endpoint } from '../../../proto/socket-options.ts'
import { destinationTable } from '../../../proxy/capture/destination-table.ts'
import { listenCapturedOutbound } from '../../../proxy/capture/listen-outbound.ts'
import type { CaptureConfig, DestinationConfig } from '../../../proxy/config/mesh-transport.ts'
import { parsePeerPattern } from '../../../proxy/config/peer-pattern.ts'
import { openHbonePool } from '../../../proxy/hbone/pool.ts'
import { strangerParty } from '../../../proxy/telemetry/parties.ts'
import { startFakeHbone } from '../hbone/fake-hbone.ts'
import { sourceOf, web } from '../hbone/hbone-client.ts'
import { allow, everything, openTestContext, startBackend } from '../running-proxy.ts'

const stack: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of stack.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

const capture: CaptureConfig = {
  ...{ inboundPort: 15_006, outboundPort: 15_001, authorize: undefined, forwardClientCert: true },
  ...{ mark: 0x539, proxyUid: undefined, minVersion: 'TLSv1.3', mtls: 'policy', unlisted: 'pass' },
}

/** A listener that believes that its connections were going to `target`. */
async function startCapture(
  target: Endpoint | undefined,
  destinations: readonly DestinationConfig[] = [],
  unlisted: CaptureConfig['unlisted'] = 'pass',
) {
  const { context, access, ...test } = openTestContext(sourceOf(web))
  const pool = openHbonePool(context)
  const listener = await listenCapturedOutbound({
    ...{ context, pool, config: { ...capture, unlisted }, permitAll: allow },
    listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    destinations: destinationTable(destinations),
    self: strangerParty(web.id),
    openHttp: () => ({ serve() {}, [Symbol.dispose]() {} }),
    originalDestinationOf: (socket) =>
      target?.port === 0 ? { ip: '127.0.0.1', port: socket.localPort ?? 0 } : target,
  })
  stack.push({
    async [Symbol.asyncDispose]() {
      pool[Symbol.dispose]()
      await listener[Symbol.asyncDispose]()
      test[Symbol.dispose]()
    },
  })
  const { address } = listener
  if (address.kind !== 'tcp') throw new Error('not a port')
  return { port: address.port, access }
}

async function ask(port: number): Promise<string> {
  const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.end('hello')
  return await everything(socket)
}

const mesh = (hbonePort: number, ip: string): DestinationConfig => ({
  ...{ name: 'db', addresses: [parseIpBlock(ip) ?? []].flat(), ports: [], transport: 'hbone' },
  ...{ authorize: [parsePeerPattern('spiffe://example.org/ns/shop/sa/db')], hbonePort },
  ...{ protocol: 'auto', service: undefined },
})

const echo = (socket: Socket) => void socket.pipe(socket)

test('a connection goes on to where it was going', async () => {
  await using backend = await startBackend(echo)
  const { port, access } = await startCapture({ ip: '127.0.0.1', port: backend.port })
  expect(await ask(port)).toBe('hello')
  expect(access).toMatchObject([
    { listener: 'captured-outbound', destination: `127.0.0.1:${backend.port}`, mutual_tls: false },
  ])
})

test('a destination of the mesh is reached by a tunnel that asks for its address', async () => {
  const asked: unknown[] = []
  const fake = await startFakeHbone((stream, headers) => {
    asked.push(headers[':authority'])
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  stack.push(fake)
  const target = { ip: '127.0.0.1', port: 8080 }
  const { port, access } = await startCapture(target, [mesh(fake.port, '127.0.0.1')])
  expect(await ask(port)).toBe('hello')
  expect(asked).toEqual(['127.0.0.1:8080'])
  expect(access).toMatchObject([
    { listener: 'db', destination: '127.0.0.1:8080', mutual_tls: true },
  ])
})

test('a listed destination whose tunnels cannot be had is not called in plaintext instead', async () => {
  await using backend = await startBackend(echo)
  const closed = await startBackend(echo)
  await closed[Symbol.asyncDispose]()
  const target = { ip: '127.0.0.1', port: backend.port }
  const { port, access } = await startCapture(target, [mesh(closed.port, '127.0.0.0/8')])
  expect(await ask(port)).toBe('')
  expect(backend.seen()).toBe(0)
  expect(access).toMatchObject([{ response_flags: 'CONNECT' }])
})

test('what nobody lists is refused where the configuration says so', async () => {
  await using backend = await startBackend(echo)
  const { port, access } = await startCapture({ ip: '127.0.0.1', port: backend.port }, [], 'refuse')
  expect(await ask(port)).toBe('')
  expect(backend.seen()).toBe(0)
  expect(access).toMatchObject([
    {
      direction: 'outbound',
      reason: expect.stringContaining('no destination block is about 127.0.0.1'),
    },
  ])
})

test.each([
  ['no rule has redirected', undefined],
  ['was made to the listener itself', { ip: '127.0.0.1', port: 0 }],
])('a connection that %s is refused, for it would come back for ever', async (_, target) => {
  const { port, access } = await startCapture(target)
  expect(await ask(port)).toBe('')
  expect(access).toMatchObject([
    { reason: expect.stringContaining('expected one that a rule has redirected') },
  ])
})
