import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, Server, type ServiceError, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { HealthHandlers } from '../../proto/gen/grpc/health/v1/Health.ts'
import { healthApi } from '../../proto/load.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { addService } from '../../proto/serve.ts'
import { listenUnix } from '../../proto/unix-listener.ts'
import { aborted } from '../../spiffe/aborted.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-bound-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const ROOMY = { perProcess: 1_000_000, total: 2_000_000 }

/** Check answers, and Watch says one word and stays open. */
async function serve(bounds: { streams?: typeof ROOMY; requestBytes?: typeof ROOMY }) {
  const path = join(dir, 'api.sock')
  const server = new Server()
  const refused: unknown[] = []
  const listener = await listenUnix({
    ...{ path, mode: 0o777, server },
    bounds: { streams: ROOMY, requestBytes: ROOMY, unsentBytes: ROOMY, ...bounds },
    onRefused: (error) => refused.push(error),
  })
  addService<UnixCaller, HealthHandlers>(
    { server, callerOf: listener.callerOf, async authorize() {}, onFailure() {} },
    healthApi().service,
    {
      Check: async () => ({ status: 'SERVING' }),
      async Watch(_, { signal }, send) {
        await send({ status: 'SERVING' })
        await aborted(signal)
      },
    },
  )
  const client = new (healthApi())(`unix:${path}`, credentials.createInsecure())
  return {
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
  await using served = await serve({ requestBytes: { perProcess: 200, total: 1_000 } })
  expect(await served.check('x'.repeat(300))).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
  expect(served.refused).toMatchObject([{ message: expect.stringContaining('open requests') }])
  expect(await served.check('x'.repeat(100))).toBeNull()
})
