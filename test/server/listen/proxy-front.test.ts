/** The TLS port behind load balancers: who is believed, and what the address is used for. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { Server } from '@grpc/grpc-js'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Cidr, parseCidr } from '../../../server/config/cidr.ts'
import { listenTls, type TlsListener } from '../../../server/listen/tls-listener.ts'
import { TEST_NOW, type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const LOCALHOST = parseCidr('127.0.0.0/8')
const ELSEWHERE = parseCidr('192.0.2.0/24')
const HEADER = 'PROXY TCP4 203.0.113.9 198.51.100.7 4711 443\r\n'

let ca: TestCa
let leaf: TestLeaf
beforeAll(async () => {
  ca = await testCa()
  leaf = await ca.leaf('/spire/server')
})

let log: ReturnType<typeof memoryLog>
let clock: FakeClock
let listener: TlsListener
const sockets: Socket[] = []
const closeAll = async () => {
  // TLS before what is beneath it: the other way round Node 24 can crash.
  for (const socket of sockets.splice(0).reverse()) socket.destroy()
  await listener[Symbol.asyncDispose]()
}

async function open(
  trusted: Cidr | undefined,
  requirePqKem = false,
  handshakeTimeoutMs?: number,
): Promise<void> {
  log = memoryLog()
  clock = new FakeClock(TEST_NOW)
  const server = new Server()
  listener = await listenTls({
    bindAddress: '127.0.0.1',
    bindPort: 0,
    server,
    serverSvid: { current: () => leaf, onChange: () => () => {} },
    trustDomain: ca.trustDomain,
    adminIds: new Set(),
    bundleOf: async () => ca.bundle,
    clock,
    log: log.log,
    trustedProxies: trusted === undefined ? [] : [trusted],
    requirePqKem,
    handshakeTimeoutMs,
    drain: async () => server.forceShutdown(),
  })
}

beforeEach(() => open(LOCALHOST))
afterEach(closeAll)

function dial(): Socket {
  const socket = connectTcp(listener.port, '127.0.0.1')
  socket.on('error', () => {})
  sockets.push(socket)
  return socket
}

function secure(socket: Socket, options: ConnectionOptions = {}): TLSSocket {
  const secured = connect({
    socket,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...options,
  })
  secured.on('error', () => {})
  sockets.push(secured)
  return secured
}

/** What the log says of the address of a client that is refused: it speaks no HTTP/2. */
async function refusedAddress(socket: Socket): Promise<unknown> {
  await once(secure(socket, { ALPNProtocols: [] }), 'close')
  return log.lines.find(({ msg }) => msg === 'Refused a TLS connection')?.caller_addr
}

test('the address in a trusted balancer’s header is the client’s', async () => {
  const socket = dial()
  socket.write(HEADER)
  expect(await refusedAddress(socket)).toBe('203.0.113.9:4711')
})

test('the header may come in pieces, and together with what follows', async () => {
  const socket = dial()
  for (const piece of [HEADER.slice(0, 3), HEADER.slice(3)]) {
    await new Promise((resolve) => socket.write(piece, resolve))
  }
  const secured = secure(socket)
  await once(secured, 'secureConnect')
  expect(secured.alpnProtocol).toBe('h2')
  await once(secured, 'data') // the server's first HTTP/2 frames
})

test('a trusted balancer may leave the header out, or speak for itself', async () => {
  const local = /^127\.0\.0\.1:\d+$/
  expect(await refusedAddress(dial())).toMatch(local)
  await closeAll()
  await open(LOCALHOST)
  const socket = dial()
  socket.write('PROXY UNKNOWN\r\n')
  expect(await refusedAddress(socket)).toMatch(local)
})

test('a malformed header ends the connection, and the log says why', async () => {
  const socket = dial()
  socket.write('PROXY TCP4 somewhere else 1 2\r\n')
  await once(socket, 'close')
  expect(log.lines).toContainEqual(
    expect.objectContaining({
      msg: 'Refused a connection',
      caller_addr: expect.stringMatching(/^127\.0\.0\.1:/),
      reason: expect.stringContaining('PROXY header'),
    }),
  )
})

test('a balancer that says nothing is not waited for', async () => {
  await closeAll()
  await open(LOCALHOST, false, 200)
  await once(dial(), 'close')
  const socket = dial()
  socket.write('PROXY ')
  await once(socket, 'close')
})

test.for([
  ['nobody is trusted', undefined],
  ['another range is trusted', ELSEWHERE],
] as const)('nobody is believed by a header of his own making when %s', async ([, trusted]) => {
  await closeAll()
  await open(trusted)
  const socket = dial()
  socket.write(HEADER)
  await expect(once(secure(socket), 'secureConnect')).rejects.toThrow()
  expect(JSON.stringify(log.lines)).not.toContain('203.0.113.9')
  expect(await refusedAddress(dial())).toMatch(/^127\.0\.0\.1:/)
})

test('an anonymous connection ends after five minutes, whatever it holds open', async () => {
  const secured = secure(dial())
  await once(secured, 'data')
  await clock.sleepers(1)
  clock.advance(5 * 60_000)
  await once(secured, 'close')
})

test.for(['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024'])(
  'require_pq_kem takes the key exchange %s',
  async (ecdhCurve) => {
    await closeAll()
    await open(undefined, true)
    const secured = secure(dial(), { ecdhCurve })
    await once(secured, 'secureConnect')
    expect(secured.getProtocol()).toBe('TLSv1.3')
  },
)

test.for([
  ['a classical key exchange', { ecdhCurve: 'X25519:P-256' }],
  ['TLS 1.2, which has no other', { maxVersion: 'TLSv1.2' }],
] as const)('require_pq_kem refuses %s', async ([, options]) => {
  await closeAll()
  await open(undefined, true)
  const [error] = await once(secure(dial(), options), 'error')
  expect(String(error)).toMatch(/handshake failure|protocol version/)
})
