import { expect, test } from 'vitest'
import { enter } from '../../../server/servers/presence.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Clock } from '../../../spiffe/clock.ts'

/** Sleeps end at once, and so much later it is then. */
async function world() {
  let now = Date.parse('2030-01-01T00:00:00Z')
  let onSleep = async () => {}
  const clock: Clock = {
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms
      await onSleep()
    },
  }
  const { servers: registry, ...store } = await openStore({ path: ':memory:', clock })
  const failures: unknown[] = []
  const join = (document = 'd') =>
    enter({
      ...{ registry, key: 'k', document: () => document, clock },
      onFailure: (error) => failures.push(error),
    })
  return {
    ...{ registry, store, clock, join, failures },
    now: () => now,
    whileSleeping: (work: () => Promise<void>) => {
      onSleep = work
    },
  }
}

test('a new server has its row at once', async () => {
  const { join, registry, now } = await world()
  const before = now()
  const presence = await join('hello')
  expect(now()).toBe(before)
  expect(presence.before).toBeUndefined()
  expect(await registry.list()).toMatchObject([{ key: 'k', document: 'hello' }])
})

test('a server that stopped in order goes on at once, and knows what it said', async () => {
  const { join, now } = await world()
  await (await join('first')).leave()
  const before = now()
  expect((await join('second')).before).toBe('first')
  expect(now()).toBe(before)
})

test('after kill -9 the next process waits until the one before has surely fallen silent', async () => {
  const { join, now } = await world()
  await join('first')
  const before = now()
  expect((await join('second')).before).toBe('first')
  expect(now() - before).toBeGreaterThanOrEqual(6_000)
  expect(now() - before).toBeLessThan(10_000)
})

test('a copy of a data directory is refused while the server that it is of lives', async () => {
  const { join, whileSleeping } = await world()
  const first = await join()
  whileSleeping(first.beat)
  await expect(join()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('its data_dir was copied'),
  })
})

test('of two that wait for the same row one gets it, and the other is refused', async () => {
  const { join } = await world()
  await join()
  const outcomes = await Promise.allSettled([join(), join()])
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('a server whose row was taken while it slept stops', async () => {
  const { join } = await world()
  const first = await join()
  await join()
  await expect(first.beat()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('another process has taken over'),
  })
  await expect(first.keep(new AbortController().signal)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
})

test('a forgotten server stops too', async () => {
  const { join, registry } = await world()
  const first = await join()
  const [row] = await registry.list()
  await registry.forget('k', row?.incarnation ?? '')
  await expect(first.beat()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('a store that does not answer is told of, and beaten again', async () => {
  const { join, failures, store, whileSleeping } = await world()
  const first = await join()
  await store.close()
  const stop = new AbortController()
  whileSleeping(async () => {
    if (failures.length === 2) stop.abort()
  })
  await first.keep(stop.signal)
  expect(failures).toHaveLength(2)
})
