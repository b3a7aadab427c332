import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, Server, type ServiceError, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StreamBounds } from '../../proto/bound-streams.ts'
import type { HealthHandlers } from '../../proto/gen/grpc/health/v1/Health.ts'
import { healthApi } from '../../proto/load.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { addService } from '../../proto/serve.ts'
import { listenUnix } from '../../proto/unix-listener.ts'
import { aborted } from '../../spiffe/aborted.ts'
import { ROOMY } from '../fakes/roomy-bounds.ts'
import { callFields, closed, FLAG, FRAME, frame, number32, openRaw } from '../hostile/raw-http2.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-bound-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** Names, whose list is larger than what HTTP/2 lets through unread. */
const LONG_LIST = Object.fromEntries(
  Array.from({ length: 5_000 }, (_, at) => [
    `${at}`.padStart(40, 'x'),
    { status: 'SERVING' as const },
  ]),
)

/** Check answers, List says a lot, and Watch says one word and stays open. */
async function serve(bounds: Partial<StreamBounds>) {
  const path = join(dir, 'api.sock')
  const server = new Server()
  const refused: unknown[] = []
  const listener = await listenUnix({
    ...{ path, mode: 0o777, server },
    bounds: { ...ROOMY, ...bounds },
    onRefused: (error) => refused.push(error),
  })
  addService<UnixCaller, HealthHandlers>(
    { server, callerOf: listener.callerOf, async authorize() {}, onFailure() {} },
    healthApi().service,
    {
      Check: async () => ({ status: 'SERVING' }),
      List: async () => ({ statuses: LONG_LIST }),
      async Watch(_, { signal }, send) {
        await send({ status: 'SERVING' })
        await aborted(signal)
      },
    },
  )
  const client = new (healthApi())(`unix:${path}`, credentials.createInsecure())
  return {
    path,
    refused,
    client,
    check: (service = '') =>
      new Promise<ServiceError | null>((resolve) => {
        client.Check({ service }, (error) => resolve(error))
      }),
    async [Symbol.asyncDispose]() {
      client.close()
      server.forceShutdown()
      await listener[Symbol.asyncDispose]()
    },
  }
}

test('a stream too many is refused in words, reported once, and let in when another has ended', async () => {
  await using served = await serve({ streams: { perProcess: 1, total: 10 } })
  const stream = served.client.Watch({})
  stream.on('error', () => {})
  await new Promise((resolve) => stream.once('data', resolve))
  for (let calls = 0; calls < 3; calls += 1) {
    expect(await served.check()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: `process ${process.pid} has 1 open streams, the limit is 1; close some or share one stream`,
    })
  }
  expect(served.refused).toMatchObject([{ code: 'RATE_LIMITED' }])
  stream.cancel()
  await expect.poll(() => served.check()).toBeNull()
})

test('streams of methods that there are not count as well', async () => {
  await using served = await serve({ streams: { perProcess: 0, total: 10 } })
  served.client.List({}, () => {})
  await expect.poll(() => served.refused).toMatchObject([{ code: 'RATE_LIMITED' }])
})

test('a request that is larger than what its process may send ends its own stream and no other', async () => {
  await using served = await serve({ requestBytes: { perProcess: 800, total: 4_000 } })
  expect(await served.check('x'.repeat(300))).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
  expect(served.refused).toMatchObject([{ message: expect.stringContaining('open requests') }])
  expect(await served.check('x'.repeat(100))).toBeNull()
})

/** A client that reads what it likes. */
async function connectTo(path: string): Promise<ClientHttp2Session> {
  const session = connect('http://localhost', { createConnection: () => dial(path) })
  session.on('error', () => {})
  await once(session, 'connect')
  session.setLocalWindowSize(16 * 1024 * 1024)
  return session
}

/** Nothing of its answer is read. */
function list(session: ClientHttp2Session, method = 'List') {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': `/grpc.health.v1.Health/${method}` },
    ...{ 'content-type': 'application/grpc', te: 'trailers' },
  })
  stream.on('error', () => {})
  stream.end(Buffer.alloc(5))
  return stream
}

test('a process that reads nothing is not told more than its bound, and the rest as soon as it reads', async () => {
  await using served = await serve({ unsentBytes: { perProcess: 100_000, total: 1_000_000 } })
  const session = await connectTo(served.path)
  try {
    const first = list(session)
    await expect.poll(() => first.readableLength).toBeGreaterThan(0)
    const second = list(session)
    await once(second, 'response')
    await new Promise((resolve) => session.ping(resolve))
    expect(second.readableLength).toBe(0)
    expect(served.refused).toEqual([])
    first.resume()
    await expect.poll(() => second.readableLength).toBeGreaterThan(0)
  } finally {
    session.destroy()
  }
})

test('a connection is told of 1,024 refusals, however soon their streams close, and cut at the next', async () => {
  await using served = await serve({ streams: { perProcess: 0, total: 10 } })
  const session = await connectTo(served.path)
  try {
    const refuse = async () => await once(list(session).resume(), 'close')
    for (let told = 0; told < 1_024; told += 128) {
      await Promise.all(Array.from({ length: 128 }, refuse))
    }
    await new Promise((resolve) => session.ping(resolve))
    expect(session.destroyed).toBe(false)
    const cut = once(session, 'close')
    await Promise.all([refuse(), cut])
    expect(served.refused).toHaveLength(1)
  } finally {
    session.destroy()
  }
})

/** Streams that are opened and reset at once, all in one piece. */
function resets(method: string, count: number): Buffer {
  const one = (stream: number) => [
    frame(FRAME.headers, FLAG.endHeaders, stream, callFields(method)),
    frame(FRAME.reset, 0, stream, number32(8)),
  ]
  return Buffer.concat(Array.from({ length: count }, (_, at) => one(1 + 2 * at)).flat())
}

test('a process that opens twice as many streams at once as it may have loses all its connections, and is told of once', async () => {
  await using served = await serve({ streams: { perProcess: 200, total: 1_000 } })
  for (let again = 0; again < 3; again += 1) {
    const silent = await openRaw({ kind: 'unix', path: served.path })
    const flood = await openRaw({ kind: 'unix', path: served.path })
    for (const socket of [silent, flood]) socket.resume()
    flood.write(resets('/grpc.health.v1.Health/Check', 600))
    await Promise.all([closed(silent), closed(flood)])
  }
  expect(served.refused).toMatchObject([
    { code: 'RATE_LIMITED', message: expect.stringContaining('more than 400 streams at once') },
  ])
  expect(await served.check()).toBeNull()
})

test('a thousand streams at once of a process that may have as many are served', async () => {
  await using served = await serve({ streams: { perProcess: 1_024, total: 16_384 } })
  for (let again = 0; again < 2; again += 1) {
    const checks = Array.from({ length: 1_000 }, () => served.check())
    expect((await Promise.all(checks)).filter((error) => error !== null)).toEqual([])
  }
  expect(served.refused).toEqual([])
})

test('refusals of a connection count from the last stream that was let in', async () => {
  await using served = await serve({ streams: { perProcess: 1, total: 10 } })
  const session = await connectTo(served.path)
  try {
    const refuse = async () => await once(list(session).resume(), 'close')
    for (let again = 0; again < 2; again += 1) {
      const open = list(session, 'Watch').resume()
      await once(open, 'response')
      for (let told = 0; told < 1_024; told += 128) {
        await Promise.all(Array.from({ length: 128 }, refuse))
      }
      open.close()
      await once(open, 'close')
    }
    await new Promise((resolve) => session.ping(resolve))
    expect(session.destroyed).toBe(false)
  } finally {
    session.destroy()
  }
})
