import { expect, test } from 'vitest'
import { deadlineIn } from '../../spiffe/deadline.ts'
import { FakeClock } from '../fakes/clock.ts'

test('breaks the work off when the time is over, and says that it was the time', async () => {
  const clock = new FakeClock()
  using deadline = deadlineIn(10_000, clock)
  clock.advance(9_999)
  await clock.sleepers(1)
  expect(deadline.signal.aborted).toBe(false)

  clock.advance(1)
  await expect.poll(() => deadline.signal.aborted).toBe(true)
  expect(deadline.isOver).toBe(true)
  expect(deadline.signal.reason).toMatchObject({ message: 'no answer within 10 s' })
})

test('breaks the work off when whoever asked goes away, and does not blame the time', () => {
  const caller = new AbortController()
  using deadline = deadlineIn(10_000, new FakeClock(), caller.signal)
  caller.abort()
  expect(deadline.signal.aborted).toBe(true)
  expect(deadline.isOver).toBe(false)
})

test('breaks nothing off after the work is done, and leaves no sleep behind', async () => {
  const clock = new FakeClock()
  const deadline = deadlineIn(10_000, clock)
  deadline[Symbol.dispose]()
  expect(clock.sleeping).toBe(0)
  clock.advance(60_000)
  await Promise.resolve()
  expect(deadline).toMatchObject({ isOver: false, signal: { aborted: false } })
})
