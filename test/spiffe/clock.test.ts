import { afterEach, expect, test, vi } from 'vitest'
import { fromUnixSeconds, systemClock, unixSeconds } from '../../spiffe/clock.ts'
import { FakeClock } from '../fakes/clock.ts'

afterEach(() => vi.useRealTimers())

test('seconds since 1970 are whole, and rounded down', () => {
  expect(unixSeconds(new Date(1999))).toBe(1)
  expect(fromUnixSeconds(1).getTime()).toBe(1000)
})

test.for([0, -1])('the system clock does not sleep for %i ms', async (ms) => {
  await systemClock.sleep(ms)
})

test('the system clock wakes at once when the signal is aborted, before or during the sleep', async () => {
  await systemClock.sleep(2 ** 40, AbortSignal.abort())
  const controller = new AbortController()
  const sleep = systemClock.sleep(2 ** 40, controller.signal)
  controller.abort()
  await sleep
})

test('the system clock sleeps no shorter than asked', async () => {
  const before = systemClock.now()
  await systemClock.sleep(5)
  expect(systemClock.now().getTime() - before.getTime()).toBeGreaterThanOrEqual(4)
})

const HOUR_MS = 3_600_000

/** The machine's timers, which go by as told, and its clock, which can be set besides. */
function machine() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  return {
    wait: (ms: number) => vi.advanceTimersByTimeAsync(ms),
    setClock: (changeMs: number) => vi.setSystemTime(systemClock.now().getTime() + changeMs),
  }
}

test('after a suspension, in which timers stood still, a sleep ends within ten seconds if its time has come', async () => {
  const { wait, setClock } = machine()
  let isAwake = false
  void systemClock.sleep(HOUR_MS).then(() => {
    isAwake = true
  })
  await wait(60_000)
  setClock(HOUR_MS / 2)
  await wait(10_000)
  expect(isAwake).toBe(false)
  setClock(HOUR_MS / 2)
  await wait(10_000)
  expect(isAwake).toBe(true)
})

test('a clock that is set back makes no sleep longer', async () => {
  const { wait, setClock } = machine()
  let isAwake = false
  void systemClock.sleep(HOUR_MS).then(() => {
    isAwake = true
  })
  setClock(-24 * HOUR_MS)
  await wait(HOUR_MS - 1)
  expect(isAwake).toBe(false)
  await wait(1)
  expect(isAwake).toBe(true)
})

test('the fake clock wakes sleepers in the order of their time, and only those that are due', async () => {
  const clock = new FakeClock()
  const woken: string[] = []
  const late = clock.sleep(200).then(() => woken.push('late'))
  const early = clock.sleep(100).then(() => woken.push('early'))
  clock.advance(99)
  expect(clock.sleeping).toBe(2)
  clock.advance(1)
  await early
  expect(woken).toEqual(['early'])
  clock.advance(100)
  await late
  expect(woken).toEqual(['early', 'late'])
})

test('the fake clock tells when enough sleep, and stops a sleep by its signal', async () => {
  const clock = new FakeClock('2026-05-01T00:00:00Z')
  const controller = new AbortController()
  const two = clock.sleepers(2)
  const sleeps = [clock.sleep(1000), clock.sleep(1000, controller.signal)]
  await two
  controller.abort()
  await sleeps[1]
  expect(clock.sleeping).toBe(1)
  clock.advance(1000)
  await Promise.all(sleeps)
  expect(clock.now().toISOString()).toBe('2026-05-01T00:00:01.000Z')
})
