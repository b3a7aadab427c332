import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { IdentityError } from '../../../spiffe/error.ts'
import { secureContextOptions } from '../../../workload/tls/tls-identity.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'
import { freePort } from '../../processes/free-port.ts'
import { denyAll, mtlsMode } from '../mesh.ts'
import { startBackend } from '../running-proxy.ts'
import { configOf, startWorkers, type WorkersTest } from './running-workers.ts'

const ca = await currentCa('example.org')
const db = await identityOf(ca, '/ns/shop/sa/db')
const renewed = await identityOf(ca, '/ns/shop/sa/db')

const MANY = 24

/** Plaintext in at `out`, mutual TLS to `in`, plaintext to a server that says back what it hears. */
async function start(change: Partial<WorkersTest> = {}, more = '') {
  const backend = await startBackend((socket) => socket.pipe(socket))
  const identity = new FakeTlsIdentity(contextOf(db, [ca.bundle]))
  const inner = await freePort()
  const proxy = await startWorkers({
    identity,
    settings: `workers = 2
      inbound "in" { listen = "127.0.0.1:${inner}"  upstream = "127.0.0.1:${backend.port}"  protocol = "tcp" }
      outbound "out" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${inner}"  protocol = "tcp"
        authorize = ["spiffe://example.org/ns/shop/sa/db"] }
      ${more}`,
    ...change,
  })
  return {
    ...{ ...proxy, identity, backend },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}

/** A connection that has carried something. */
async function talk(port: number, said = 'hello'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  socket.write(said)
  const [heard] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])])
  if (String(heard) !== said) throw new Error(`nobody answered: ${String(heard)}`)
  return socket
}

const talkMuch = (port: number, count = MANY) =>
  Promise.all(Array.from({ length: count }, () => talk(port)))

/** A reset is an end as well. */
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
  })

test('connections are spread over the workers, and operators see them together', async () => {
  await using proxy = await start()
  const sockets = await talkMuch(proxy.port('out'))
  const { total, connections, metrics } = await proxy.workers.look()
  expect(total).toBe(3 * MANY) // each goes through both listeners, and is shown at both of its ends in the first
  expect(connections).toHaveLength(3 * MANY)
  expect(connections.find(({ listener }) => listener === 'in')?.peer?.id).toBe(db.id)
  for (const one of proxy.workers.workers()) {
    expect(one).toMatchObject({ isServing: true, lost: 0 })
    expect(one.connections).toBeGreaterThan(0)
  }
  const opened = /istio_tcp_connections_opened_total\{reporter="destination".*\} (\d+)/.exec(
    metrics,
  )
  expect(opened?.[1]).toBe(String(MANY))
  for (const socket of sockets) socket.destroy()
  await expect.poll(async () => (await proxy.workers.look()).total).toBe(0)
})

test('a policy that now denies closes what is open in every worker, and lets nothing new in', async () => {
  await using proxy = await start()
  const sockets = await talkMuch(proxy.port('out'))
  proxy.writePolicies(denyAll())
  await Promise.all(sockets.map(closed))
  await expect.poll(async () => (await proxy.workers.look()).total).toBe(0)
  await expect(talk(proxy.port('out'))).rejects.toThrow('nobody answered')
  proxy.writePolicies('')
  await expect.poll(() => talk(proxy.port('out')).then((one) => one.destroy())).toBeDefined()
})

test('a renewed identity is shown by every worker, and no connection is closed for it', async () => {
  await using proxy = await start()
  const sockets = await talkMuch(proxy.port('out'), 8)
  const before = await serials(proxy, 12)
  proxy.identity.set(contextOf(renewed, [ca.bundle]))
  await expect
    .poll(async () => [...(await serials(proxy, 12))].some((one) => before.has(one)))
    .toBe(false)
  expect(before.size).toBe(1)
  expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([])
  for (const socket of sockets) socket.destroy()
})

async function serials(proxy: Awaited<ReturnType<typeof start>>, count: number) {
  const asked = Array.from({ length: count }, async () => {
    const socket = connectTls({
      ...{ host: '127.0.0.1', port: proxy.port('in'), rejectUnauthorized: false },
      ...{ ALPNProtocols: ['istio'], ...secureContextOptions(contextOf(db, [ca.bundle])) },
    })
    await once(socket, 'secureConnect')
    const { serialNumber } = socket.getPeerCertificate()
    socket.destroy()
    return serialNumber
  })
  return new Set(await Promise.all(asked))
}

test('an identity that is withdrawn ends its connections in every worker, and nobody is served until there is another', async () => {
  await using proxy = await start()
  const sockets = await talkMuch(proxy.port('out'))
  proxy.identity.set(new IdentityError('NO_IDENTITY_ISSUED', 'the entry is gone'))
  await Promise.all(sockets.map(closed))
  for (let n = 0; n < 8; n += 1) await expect(talk(proxy.port('out'))).rejects.toThrow()
  proxy.identity.set(contextOf(renewed, [ca.bundle]))
  await expect.poll(() => talk(proxy.port('out')).then((one) => one.destroyed)).toBe(false)
})

test('the emergency switch reaches every worker, and its end does as well', async () => {
  await using proxy = await start({ policies: mtlsMode('STRICT') })
  const plain = async () => {
    const asked = Array.from({ length: 8 }, () =>
      talk(proxy.port('in')).then(
        (socket) => Boolean(socket.destroy()),
        () => false,
      ),
    )
    return new Set(await Promise.all(asked))
  }
  expect([...(await plain())]).toEqual([false])
  proxy.killSwitch.on({ durationMs: 60_000, reason: 'a test', by: 'test' })
  await expect.poll(plain).toEqual(new Set([true]))
  proxy.killSwitch.off('test')
  await expect.poll(plain).toEqual(new Set([false]))
  const { plaintext } = await proxy.workers.look()
  expect(plaintext).toHaveLength(1)
  expect(plaintext[0]?.connections).toBeGreaterThanOrEqual(8)
})

test('a worker that is lost takes its own connections with it, and another serves in its place by what is known by then', async () => {
  await using proxy = await start()
  const sockets = await talkMuch(proxy.port('out'))
  const before = await proxy.workers.look()
  const [first] = proxy.workers.all
  await first?.lose()
  proxy.writePolicies(denyAll())
  await Promise.all(sockets.map(closed))
  await expect.poll(() => proxy.workers.workers()[0]).toMatchObject({ isServing: true, lost: 1 })
  expect(proxy.lines.find(({ msg }) => msg.startsWith('A worker was lost'))).toMatchObject({
    ...{ level: 'error', worker: 1 },
  })
  for (let n = 0; n < 12; n += 1) await expect(talk(proxy.port('out'))).rejects.toThrow()
  const { metrics } = await proxy.workers.look()
  expect(opened(metrics)).toBeGreaterThanOrEqual(opened(before.metrics))
  proxy.writePolicies('')
  await expect.poll(() => talk(proxy.port('out')).then((one) => one.destroyed)).toBe(false)
})

const opened = (metrics: string) =>
  Number(/istio_tcp_connections_opened_total\{reporter="destination".*\} (\d+)/.exec(metrics)?.[1])

test('a drain ends every worker when its connections have ended, and takes no new ones meanwhile', async () => {
  await using proxy = await start({}, 'drain_timeout = "30s"')
  const [socket] = await talkMuch(proxy.port('out'), 1)
  const drained = proxy.workers.drain()
  await expect.poll(() => talk(proxy.port('out')).catch(() => 'refused')).toBe('refused')
  expect(socket?.destroyed).toBe(false)
  socket?.end()
  await drained
  expect(proxy.workers.workers().map(({ isServing }) => isServing)).toEqual([false, false])
})

test('lines of the access log come from all workers, whole', async () => {
  const written: string[] = []
  const accessLog = {
    ...{ isOn: true, dropped: 0, append: (lines: string) => void written.push(lines) },
    ...{ write() {}, async reopen() {}, async [Symbol.asyncDispose]() {} },
  }
  await using proxy = await start({ accessLog })
  for (const socket of await talkMuch(proxy.port('out'))) socket.destroy()
  const lines = () => written.join('').split('\n').slice(0, -1)
  await expect.poll(() => lines().length).toBe(2 * MANY)
  for (const line of lines()) expect(JSON.parse(line)).toHaveProperty('listener')
})

const issuer = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec: { jwtRules: [{ issuer: "https://issuer.test", jwksUri: "https://issuer.test/keys" }] }
`

test('the keys of an issuer are fetched once for all workers', async () => {
  const asked: string[] = []
  const fetch = async (url: string) => {
    asked.push(url)
    return '{"keys":[]}'
  }
  await using proxy = await start({ policies: issuer, fetch })
  // What is told is what the last of them knows.
  await expect
    .poll(async () => (await proxy.workers.look()).issuers)
    .toMatchObject([{ source: 'https://issuer.test/keys', fetchedAt: expect.any(Date) }])
  expect(asked).toEqual(['https://issuer.test/keys'])
})

test('tunnels go through workers as well', async () => {
  await using backend = await startBackend((socket) => socket.pipe(socket))
  const tunnels = await freePort()
  await using proxy = await startWorkers({
    identity: new FakeTlsIdentity(contextOf(db, [ca.bundle])),
    settings: `workers = 2
      hbone { listen = "127.0.0.1:${tunnels}"  upstream_host = "127.0.0.1" }
      workload { tcp_ports = [${backend.port}] }
      outbound "out" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:${backend.port}"  transport = "hbone"
        hbone_address = "127.0.0.1:${tunnels}"  authorize = ["spiffe://example.org/ns/shop/sa/db"] }`,
  })
  const sockets = await talkMuch(proxy.port('out'), 8)
  const { connections } = await proxy.workers.look()
  expect(connections.filter(({ protocol }) => protocol === 'hbone').length).toBeGreaterThan(0)
  for (const socket of sockets) socket.destroy()
})

test('an address that somebody else has is refused, also when two listeners want the same', async () => {
  const identity = new FakeTlsIdentity(contextOf(db, [ca.bundle]))
  const port = await freePort()
  const inbound = (name: string) =>
    `inbound "${name}" { listen = "127.0.0.1:${port}"  upstream = "127.0.0.1:1" }`
  await expect(
    startWorkers({ identity, settings: `workers = 2\n${inbound('a')}\n${inbound('b')}` }),
  ).rejects.toThrow(/choose another proxy\.inbound\.b\.listen/)
  await using _first = await startWorkers({ identity, settings: `workers = 2\n${inbound('a')}` })
  await expect(
    startWorkers({ identity, settings: `workers = 2\n${inbound('a')}` }),
  ).rejects.toThrow(/EADDRINUSE.*choose another proxy\.inbound\.a\.listen/)
})

test.each([
  ['0x2', /proxy\.workers is "0x2".*expected a number from 1 to 64, or auto/],
  ['0', /expected a number from 1 to 64, or auto/],
  ['65', /expected a number from 1 to 64, or auto/],
  ['many', /expected a number from 1 to 64, or auto/],
])('the number of workers is refused: %s', (workers, message) => {
  expect(() =>
    configOf(
      `workers = "${workers}"\ninbound "a" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1" }`,
    ),
  ).toThrow(message)
})

test('a listener on a Unix socket is refused with workers, and taken without', () => {
  const outbound = `outbound "a" { listen = "unix:/tmp/a.sock"  upstream = "127.0.0.1:1"
    authorize = ["spiffe://example.org/db"] }`
  expect(() => configOf(`workers = 2\n${outbound}`)).toThrow(
    /proxy\.workers is 2 and proxy\.outbound\.a listens on a Unix socket/,
  )
  expect(configOf(outbound).workers).toBe(1)
  expect(
    configOf(`workers = "auto"\ninbound "a" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1" }`)
      .workers,
  ).toBeGreaterThanOrEqual(1)
})

test('a configuration with everything in it can be handed to a thread', () => {
  const config = configOf(`workers = 2
    capture { inbound_port = 15006  outbound_port = 15001 }
    hbone { listen = "127.0.0.1:15008"  addresses = ["10.0.0.1"] }
    destination "db" { addresses = ["10.0.0.0/8"]  transport = "mtls"  authorize = ["spiffe://example.org/db"] }
    mesh { extension_provider "oauth" { protocol = "http"  address = "127.0.0.1:9000"
      include_request_headers_in_check = ["x-user-*", "cookie"] } }`)
  expect(structuredClone(config)).toEqual(config)
})
