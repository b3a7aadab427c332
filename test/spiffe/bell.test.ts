import { expect, test } from 'vitest'
import { createBell } from '../../spiffe/bell.ts'
import { FakeClock } from '../fakes/clock.ts'

test('a ring ends a sleep', async () => {
  const bell = createBell()
  const clock = new FakeClock()
  const sleeping = clock.sleep(1_000, bell.signal())
  expect(clock.sleeping).toBe(1)
  bell.ring()
  await sleeping
  expect(clock.sleeping).toBe(0)
})

test('a ring between the reset and the sleep is not lost', async () => {
  const bell = createBell()
  const clock = new FakeClock()
  bell.reset()
  bell.ring()
  await clock.sleep(1_000, bell.signal())
  expect(clock.sleeping).toBe(0)
})

test('after a reset the bell is silent, however often it was rung before', () => {
  const bell = createBell()
  bell.ring()
  bell.ring()
  bell.reset()
  expect(bell.signal().aborted).toBe(false)
})
