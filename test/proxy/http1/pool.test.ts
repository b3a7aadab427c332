import { type Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { DEADLINE_STEP_MS, openDeadlines } from '../../../proxy/http/deadlines.ts'
import { DEFAULT_HTTP_LIMITS } from '../../../proxy/http/limits.ts'
import {
  MAX_UPSTREAM_CONNECTIONS,
  MAX_WAITING_REQUESTS,
  openHttp1Pool,
  type Taken,
  type UpstreamConnection,
} from '../../../proxy/http1/pool.ts'
import { FakeClock } from '../../fakes/clock.ts'

function rig(connect?: () => Promise<Duplex>) {
  const clock = new FakeClock()
  const deadlines = openDeadlines(clock, new AbortController().signal)
  const made: Duplex[] = []
  const pool = openHttp1Pool({
    deadlines,
    limits: DEFAULT_HTTP_LIMITS,
    connect:
      connect ??
      (async () => {
        const [near, far] = duplexPair()
        made.push(far)
        return near
      }),
  })
  const pass = async (ms: number) => {
    for (let passed = 0; passed <= ms; passed += DEADLINE_STEP_MS) {
      await clock.sleepers(1)
      clock.advance(DEADLINE_STEP_MS)
    }
    await clock.sleepers(1)
  }
  return { pool, made, pass }
}

function connectionOf(taken: Taken): UpstreamConnection {
  if (taken.kind === 'failed') throw new Error(`failed: ${taken.failure.kind}`)
  return taken
}

test('the connection that was given back last is taken first, and at once', async () => {
  const { pool, made } = rig()
  const one = connectionOf(await pool.take())
  const two = connectionOf(await pool.take())
  pool.giveBack(one, -1)
  pool.giveBack(two, -1)
  expect(pool.take()).toBe(two)
  expect(pool.take()).toBe(one)
  expect(made).toHaveLength(2)
})

test('an idle connection is closed before the server would, and one that the server will not keep at once', async () => {
  const { pool, pass } = rig()
  const kept = connectionOf(await pool.take())
  const spent = connectionOf(await pool.take())
  pool.giveBack(kept, 10)
  pool.giveBack(spent, 1)
  expect(spent.socket.destroyed).toBe(true)
  await pass(8000)
  expect(kept.socket.destroyed).toBe(false)
  await pass(2000)
  expect(kept.socket.destroyed).toBe(true)
  await expect.poll(() => pool.open).toBe(0)
})

test('a connection that closed while idle is not taken', async () => {
  const { pool, made } = rig()
  const one = connectionOf(await pool.take())
  pool.giveBack(one, -1)
  made[0]?.end()
  await expect.poll(() => pool.idle).toBe(0)
  expect(connectionOf(await pool.take())).not.toBe(one)
})

test('a connection that takes too long is a failure, and one that comes later is closed', async () => {
  const late = Promise.withResolvers<Duplex>()
  const { pool, pass } = rig(() => late.promise)
  const taken = pool.take()
  await pass(DEFAULT_HTTP_LIMITS.connectTimeoutMs + 1000)
  expect(await taken).toEqual({ kind: 'failed', failure: { kind: 'connect-timeout' } })
  const [near] = duplexPair()
  late.resolve(near)
  await expect.poll(() => near.destroyed).toBe(true)
  expect(pool.open).toBe(0)
})

test('connections and requests that wait for one are bounded, and a place that is free goes to the first', async () => {
  const { pool } = rig()
  const open = await Promise.all(
    Array.from({ length: MAX_UPSTREAM_CONNECTIONS }, () => pool.take()),
  )
  const waiting = Array.from({ length: MAX_WAITING_REQUESTS }, () => pool.take())
  expect(pool.take()).toEqual({ kind: 'failed', failure: { kind: 'overflow' } })
  const [first, second] = open.map(connectionOf)
  if (first === undefined || second === undefined) throw new Error('none')
  pool.giveBack(first, -1)
  expect(await waiting[0]).toBe(first)
  pool.discard(second)
  expect(connectionOf((await waiting[1]) ?? first)).not.toBe(second)
  expect(pool.open).toBe(MAX_UPSTREAM_CONNECTIONS)
})

test('a pool that is closed keeps nothing', async () => {
  const { pool } = rig()
  const idle = connectionOf(await pool.take())
  const busy = connectionOf(await pool.take())
  pool.giveBack(idle, -1)
  pool.close()
  pool.giveBack(busy, -1)
  await expect.poll(() => pool.open).toBe(0)
})
