/** Clients that attack gRPC itself, on the doors of a real server: memory stays within a bound, and others are served. */
import { connect, type Socket } from 'node:net'
import { credentials, Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { bundleApi } from '../../proto/load.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { startHonestCaller } from '../hostile/honest-caller.ts'
import { HELLO } from '../hostile/hostile-clients.ts'
import { closed, openRaw } from '../hostile/raw-http2.ts'
import { descriptorsOf, SPARE_DESCRIPTORS, statusOf, withstand } from '../hostile/withstand.ts'
import { startAgent, startServer } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'

const minutes = 60_000
/** What a process may take above what it had, at its worst moment of any attack: by strangers on the network … */
const MAX_GROWN_BY_STRANGERS_MIB = 224
/** … and by whoever may open a socket of this machine: a thousand calls on each of his connections, each with a message begun. */
const MAX_GROWN_BY_LOCALS_MIB = 1_024
/** As above, for 10,000 connections: each of those has two descriptors' worth of buffers, and some a TLS session. */
const MAX_GROWN_FOR_CONNECTIONS_MIB = 768
/** No caller waits longer, however busy the machine is. */
const PATIENCE_MS = 60_000
/** Each call has a connection of its own. */
const OWN_CONNECTION = { 'grpc.use_local_subchannel_pool': 1 } as const
const deadline = () => ({ deadline: systemClock.now().getTime() + PATIENCE_MS })

/** A stranger that reads the bundle, as agents do before they attest. */
async function answersOnPort(port: number): Promise<boolean> {
  // Whether it is the right server is not what is asked here.
  const trust = { rejectUnauthorized: false, checkServerIdentity: () => undefined }
  const client = new (bundleApi())(
    `127.0.0.1:${port}`,
    credentials.createSsl(null, null, null, trust),
    { ...OWN_CONNECTION, 'grpc.ssl_target_name_override': 'localhost' },
  )
  return await new Promise<boolean>((resolve) => {
    client.GetBundle({}, new Metadata(), deadline(), (error) => resolve(error === null))
  }).finally(() => client.close())
}

test(
  'the server’s port withstands every attack on HTTP/2 and serves others meanwhile',
  async () => {
    await using server = await startServer('steeple', { logLevel: 'INFO' })
    await withstand({
      place: { kind: 'tls', port: server.port },
      method: '/spire.api.server.bundle.v1.Bundle/GetBundle',
      process: server.process(),
      mib: MAX_GROWN_BY_STRANGERS_MIB,
      isServed: () => answersOnPort(server.port),
    })
  },
  6 * minutes,
)

test(
  'the admin socket of the server withstands the same',
  async () => {
    await using server = await startServer('steeple', { logLevel: 'INFO' })
    // In a process of its own, for what the attacker may not have is not to be missed by others.
    await using honest = startHonestCaller()
    await withstand({
      place: { kind: 'unix', path: server.socket },
      method: '/spire.api.server.entry.v1.Entry/ListEntries',
      process: server.process(),
      mib: MAX_GROWN_BY_LOCALS_MIB,
      isServed: () => honest.isHealthy(server.socket),
    })
  },
  6 * minutes,
)

const HALF_OPEN = { silent: 6_000, halfShaken: 3_000, prefaced: 1_000 } as const
/** Connections that are made at the same time; the queue of a listener is not what is tested. */
const AT_ONCE = 100

async function many(count: number, open: () => Promise<Socket>): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  let left = count
  const one = async () => {
    while (left > 0) {
      left -= 1
      sockets.push(await open())
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return sockets
}

function dial(port: number, first: Uint8Array | undefined): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      if (first !== undefined) socket.write(first)
      resolve(socket)
    })
    socket.on('error', () => resolve(socket))
    socket.resume()
  })
}

test(
  '10,000 connections that go no further do not keep others out, and those without TLS are closed',
  async () => {
    await using server = await startServer('steeple', { logLevel: 'INFO' })
    await using agent = await startAgent('steeple', server)
    const process = server.process()
    const before = { mib: statusOf(process, 'VmRSS'), descriptors: descriptorsOf(process) }
    const place = { kind: 'tls', port: server.port } as const
    const silent = await many(HALF_OPEN.silent, () => dial(server.port, undefined))
    const halfShaken = await many(HALF_OPEN.halfShaken, () => dial(server.port, HELLO))
    expect((await server.cli('steeple', 'agent', 'list')).code).toBe(0)
    const prefaced = await many(HALF_OPEN.prefaced, () => openRaw(place))
    for (const socket of prefaced) socket.resume()
    // Over the same port: another agent attests while they are all there.
    await using another = await startAgent('steeple', server)
    await Promise.all([...silent, ...halfShaken].map(closed))
    await agent.healthy()
    await another.healthy()
    const grown = statusOf(process, 'VmHWM') - before.mib
    expect(grown, 'MiB').toBeLessThan(MAX_GROWN_FOR_CONNECTIONS_MIB)
    for (const socket of prefaced) socket.destroy()
    await until(
      'the descriptors to be given back',
      async () => descriptorsOf(process) <= before.descriptors + SPARE_DESCRIPTORS,
    )
  },
  6 * minutes,
)
