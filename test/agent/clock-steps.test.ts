import { expect, test } from 'vitest'
import { type ClockStep, stepBetween, watchClock } from '../../agent/clock-steps.ts'
import { FakeClock } from '../fakes/clock.ts'

const LOOK_MS = 5_000
const HOUR_MS = 3_600_000

function watch() {
  const clock = new FakeClock()
  const stop = new AbortController()
  const seen: ClockStep[] = []
  const running = watchClock(clock, (step) => seen.push(step), stop.signal)
  const look = async (ms: number) => {
    await clock.sleepers(1)
    clock.advance(ms)
    await clock.sleepers(1)
  }
  return {
    ...{ clock, seen, look },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

test('time that passes as it should is no step, and neither is what a busy machine takes longer', async () => {
  await using watched = watch()
  for (const ms of [LOOK_MS, LOOK_MS + 1, LOOK_MS + 59_999]) await watched.look(ms)
  expect(watched.seen).toEqual([])
})

test('hours that a machine has slept are told once', async () => {
  await using watched = watch()
  await watched.look(LOOK_MS + 5 * HOUR_MS)
  await watched.look(LOOK_MS)
  expect(watched.seen).toEqual([{ kind: 'ahead', ms: 5 * HOUR_MS }])
})

test('a clock that is set back is told when the sleep is over that went on beside it', () => {
  const before = new Date('2026-01-01T01:00:00Z')
  const back = new Date(before.getTime() + LOOK_MS - HOUR_MS)
  expect(stepBetween(before, back)).toEqual({ kind: 'back', ms: HOUR_MS })
  expect(stepBetween(before, new Date(before.getTime() + LOOK_MS - 2_000))).toBeUndefined()
})
