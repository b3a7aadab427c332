import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { showAddress } from '../../../config/address.ts'
import { workloadDestinations } from '../../../proxy/listen/workload-destinations.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function connected(): Promise<Socket> {
  const server = createServer((socket) => void socket.on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  closers.push(
    () => socket.destroy(),
    () => server.close(),
  )
  return socket
}

async function rig(upstreamHost?: string) {
  const fresh = await connected()
  const disposed: string[] = []
  const takes = new Map<string, (signal: AbortSignal) => Promise<Socket>>()
  const destinations = workloadDestinations({
    protocols: new Map([[5432, 'tcp']]),
    upstreamHost,
    connect: async () => fresh,
    openHttp(upstream, take) {
      takes.set(showAddress(upstream), take)
      return { serve() {}, [Symbol.dispose]: () => void disposed.push(showAddress(upstream)) }
    },
  })
  const { signal } = new AbortController()
  return { destinations, disposed, fresh, take: (of: string) => takes.get(of)?.(signal) }
}

test('a port is the workload’s at the address that was asked for, with its protocol', async () => {
  const { destinations } = await rig()
  expect(destinations.at('10.0.0.7', 5432)).toMatchObject({
    ...{ ip: '10.0.0.7', port: 5432, protocol: 'tcp' },
    upstream: { kind: 'tcp', host: '10.0.0.7', port: 5432 },
  })
  expect(destinations.at('10.0.0.7', 80).protocol).toBe('auto')
})

test('or where the workload really listens, while policies see the address that was asked for', async () => {
  const { destinations } = await rig('127.0.0.1')
  expect(destinations.at('10.0.0.7', 80)).toMatchObject({
    ip: '10.0.0.7',
    upstream: { host: '127.0.0.1', port: 80 },
  })
})

test('the next request takes the connection that was offered, and only once', async () => {
  const { destinations, fresh, take } = await rig()
  const offered = await connected()
  destinations.at('10.0.0.7', 80).offer(offered)
  expect(await take('10.0.0.7:80')).toBe(offered)
  expect(await take('10.0.0.7:80')).toBe(fresh)
})

test('one that was taken back, or has closed, is not taken', async () => {
  const { destinations, fresh, take } = await rig()
  const [back, gone] = [await connected(), await connected()]
  const { offer } = destinations.at('10.0.0.7', 80)
  offer(back)()
  expect(back.destroyed).toBe(true)
  offer(gone)
  gone.destroy()
  expect(await take('10.0.0.7:80')).toBe(fresh)
})

test('beyond the bound the port that was called least recently gives up its connections', async () => {
  const { destinations, disposed } = await rig()
  for (let port = 1; port <= 256; port += 1) destinations.at('10.0.0.7', port)
  destinations.at('10.0.0.7', 1)
  expect(disposed).toEqual([])
  destinations.at('10.0.0.7', 257)
  expect(disposed).toEqual(['10.0.0.7:2'])
})
