import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials, Server, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { HealthHandlers } from '../../proto/gen/grpc/health/v1/Health.ts'
import { healthApi } from '../../proto/load.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { addService, type CallEnd, type Implementation } from '../../proto/serve.ts'
import { fromStatus } from '../../proto/status.ts'
import { listenUnix } from '../../proto/unix-listener.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { ROOMY } from '../fakes/roomy-bounds.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-serve-'))
  path = join(dir, 'deep', 'api.sock')
})
afterEach(() => rmSync(dir, { recursive: true }))

type Health = Implementation<UnixCaller, HealthHandlers>

async function serveHealth(
  implementation: Health,
  failures: unknown[] = [],
  ends: CallEnd<UnixCaller>[] = [],
  stopping?: AbortSignal,
) {
  const server = new Server()
  const listener = await listenUnix({
    path,
    mode: 0o770,
    server,
    bounds: ROOMY,
    onRefused: (error) => failures.push(error),
  })
  addService<UnixCaller, HealthHandlers>(
    {
      server,
      callerOf: listener.callerOf,
      authorize: async (call) => {
        if (call.metadata.get('deny').length > 0) {
          throw new IdentityError('AGENT_BANNED', 'agent is banned')
        }
      },
      onFailure: ({ error }) => failures.push(error),
      observe: () => (end) => ends.push(end),
      ...(stopping === undefined ? {} : { stopping }),
    },
    healthApi().service,
    implementation,
  )
  const client = new (healthApi())(`unix:${path}`, credentials.createInsecure())
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close()
      server.forceShutdown()
      await listener[Symbol.asyncDispose]()
    },
  }
}

const check = (client: InstanceType<ReturnType<typeof healthApi>>) =>
  new Promise<string>((resolve, reject) => {
    client.Check({}, (error, reply) => (error ? reject(error) : resolve(String(reply?.status))))
  })

test('a handler learns pid, uid and gid of its caller from the kernel', async () => {
  const seen: UnixCaller[] = []
  await using served = await serveHealth({
    Check: async (_, { caller }) => {
      seen.push(caller)
      return { status: 'SERVING' }
    },
  })
  expect(await check(served.client)).toBe('SERVING')
  expect(seen[0]).toMatchObject({ kind: 'unix', pid: process.pid, uid: process.getuid?.() })
  expect(seen[0]?.isAlive()).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o770)
})

test('an identity error reaches the caller with its status and message, and is reported once', async () => {
  const failures: unknown[] = []
  await using served = await serveHealth(
    {
      Check: async () => {
        throw new IdentityError('NOT_FOUND', 'entry not found')
      },
    },
    failures,
  )
  await expect(check(served.client)).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: 'entry not found',
  })
  expect(failures).toHaveLength(1)
})

test('a bug reaches the caller as INTERNAL without its message', async () => {
  await using served = await serveHealth({
    Check: async () => {
      throw new TypeError('secret detail')
    },
  })
  await expect(check(served.client)).rejects.toMatchObject({
    code: status.INTERNAL,
    details: 'internal error',
  })
})

test('a refused agent is told the reason in grpc-status-details-bin', async () => {
  await using served = await serveHealth({
    Check: async () => {
      throw new IdentityError('AGENT_NOT_ACTIVE', 'agent SVID is not active')
    },
  })
  const error = await check(served.client).catch(fromStatus)
  expect(error).toMatchObject({ code: 'AGENT_NOT_ACTIVE', message: 'agent SVID is not active' })
})

test('a method left out answers UNIMPLEMENTED', async () => {
  await using served = await serveHealth({})
  await expect(check(served.client)).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
})

test('a stream that fails half way ends with the status of its error', async () => {
  await using served = await serveHealth({
    Watch: async (_request, _call, send) => {
      await send({ status: 'SERVING' })
      throw new IdentityError('UNAVAILABLE', 'shutting down')
    },
  })
  const stream = served.client.Watch({})
  const seen: string[] = []
  stream.on('data', (message) => seen.push(message.status))
  const error = await new Promise((resolve) => stream.once('error', resolve))
  expect(seen).toEqual(['SERVING'])
  expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'shutting down' })
})

test('a handler sees its caller go away', async () => {
  const gone = Promise.withResolvers<void>()
  await using served = await serveHealth({
    Watch: async (_request, { signal }, send) => {
      await send({ status: 'SERVING' })
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      gone.resolve()
    },
  })
  const stream = served.client.Watch({})
  stream.on('error', () => {})
  stream.once('data', () => stream.cancel())
  await gone.promise
})

test('when the endpoint is stopping, the signals of all open calls and of every later one abort', async () => {
  const stopping = new AbortController()
  const seen: AbortSignal[] = []
  const over = Promise.withResolvers<void>()
  await using served = await serveHealth(
    {
      async Check(_, { signal }) {
        seen.push(signal)
        return { status: 'SERVING' }
      },
      async Watch(_, { signal }, send) {
        seen.push(signal)
        await send({ status: 'SERVING' })
        await over.promise
        throw new IdentityError('UNAVAILABLE', 'stopping')
      },
    },
    [],
    [],
    stopping.signal,
  )
  const streams = [served.client.Watch({}), served.client.Watch({})]
  const ends = streams.map((stream) =>
    once(
      stream.on('data', () => {}),
      'error',
    ),
  )
  await Promise.all(streams.map((stream) => once(stream, 'data')))
  expect(seen.map(({ aborted }) => aborted)).toEqual([false, false])
  stopping.abort()
  expect(seen.map(({ aborted }) => aborted)).toEqual([true, true])
  await check(served.client)
  expect(seen[2]?.aborted).toBe(true)
  over.resolve()
  for (const [error] of await Promise.all(ends)) expect(error.code).toBe(status.UNAVAILABLE)
})

test('refuses a path that is a file, and one where another process listens', async () => {
  await using _served = await serveHealth({})
  await expect(serveHealth({})).rejects.toThrow(/another process is listening/)
  path = join(dir, 'file')
  writeFileSync(path, '')
  await expect(serveHealth({})).rejects.toThrow(/not a socket/)
})

test('refuses a path too long for a Unix socket', async () => {
  path = join(dir, 'x'.repeat(120))
  await expect(serveHealth({})).rejects.toThrow(/allows 107/)
})

test('takes over the socket file of a process that died', async () => {
  const { spawnSync } = await import('node:child_process')
  path = join(dir, 'api.sock')
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  expect(statSync(path).isSocket()).toBe(true)
  await using served = await serveHealth({ Check: async () => ({ status: 'SERVING' }) })
  expect(await check(served.client)).toBe('SERVING')
})

test('closing removes the socket file and cuts no other listener off', async () => {
  {
    await using _served = await serveHealth({})
    expect(statSync(path).isSocket()).toBe(true)
  }
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
  const error = await new Promise((resolve) => connect(path).once('error', resolve))
  expect(error).toMatchObject({ code: 'ENOENT' })
})

test('who observes is told once how each call ended, with its caller and its request', async () => {
  const ends: CallEnd<UnixCaller>[] = []
  const refusal = new IdentityError('NOT_FOUND', 'nothing there')
  await using endpoint = await serveHealth(
    {
      async Check({ service }) {
        if (service !== '') throw refusal
        return { status: 'SERVING' }
      },
      async Watch(_, __, send) {
        await send({ status: 'SERVING' })
        throw refusal
      },
    },
    [],
    ends,
  )
  await check(endpoint.client)
  await new Promise((resolve) => endpoint.client.Check({ service: 'x' }, resolve))
  await new Promise((resolve) =>
    endpoint.client.Watch({ service: 'y' }).on('error', resolve).resume(),
  )
  await expect.poll(() => ends.length).toBe(3)
  const caller = expect.objectContaining({ pid: process.pid })
  expect(ends).toEqual([
    { call: expect.objectContaining({ caller }), request: { service: '' }, error: undefined },
    { call: expect.objectContaining({ caller }), request: { service: 'x' }, error: refusal },
    { call: expect.objectContaining({ caller }), request: { service: 'y' }, error: refusal },
  ])
})
