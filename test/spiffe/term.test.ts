import { expect, test } from 'vitest'
import { createTerm } from '../../spiffe/term.ts'
import { FakeClock } from '../fakes/clock.ts'

const LIMIT_MS = 1_000

function start() {
  const clock = new FakeClock()
  const stop = new AbortController()
  const term = createTerm(LIMIT_MS, clock, stop.signal)
  term.begin().adopt()
  return { clock, stop, term }
}

/** Timers of what was woken have run. */
const settled = () => new Promise(setImmediate)

test('a term that is not granted anew ends, and was lost', async () => {
  const { clock, term } = start()
  clock.advance(LIMIT_MS - 1)
  await settled()
  expect([term.signal.aborted, term.isOver()]).toEqual([false, false])
  clock.advance(1)
  await settled()
  expect([term.signal.aborted, term.isHeld()]).toEqual([true, false])
})

test('a term that is granted anew lasts from the moment at which it was asked for', async () => {
  const { clock, term } = start()
  clock.advance(600)
  const asked = term.begin()
  clock.advance(300)
  asked.adopt()
  clock.advance(699)
  await settled()
  expect(term.signal.aborted).toBe(false)
  clock.advance(1)
  await settled()
  expect(term.signal.aborted).toBe(true)
})

test('a question that was not answered prolongs nothing', async () => {
  const { clock, term } = start()
  clock.advance(900)
  term.begin().drop()
  clock.advance(100)
  await settled()
  expect(term.signal.aborted).toBe(true)
})

test('a clock that is set back prolongs nothing', async () => {
  const clock = new FakeClock()
  const slept = Promise.withResolvers<void>()
  const sleepsByItself = { now: () => clock.now(), sleep: () => slept.promise }
  const term = createTerm(LIMIT_MS, sleepsByItself, new AbortController().signal)
  term.begin().adopt()
  clock.advance(-3_600_000)
  expect(term.isOver()).toBe(false)
  slept.resolve()
  await settled()
  expect(term.isOver()).toBe(true)
})

test('a process that was stopped notices before its next write, though no timer has run yet', () => {
  const clock = new FakeClock()
  const never = { now: () => clock.now(), sleep: () => new Promise<void>(() => {}) }
  const term = createTerm(LIMIT_MS, never, new AbortController().signal)
  term.begin().adopt()
  clock.advance(LIMIT_MS)
  expect([term.isOver(), term.signal.aborted, term.isHeld()]).toEqual([true, true, false])
})

test('a term that ends because its process stops, or because the work is over, was not lost', () => {
  const stopping = start()
  stopping.stop.abort()
  expect([stopping.term.isOver(), stopping.term.isHeld()]).toEqual([true, true])
  const finished = start()
  finished.term.finish()
  expect([finished.term.isOver(), finished.term.isHeld()]).toEqual([true, true])
})
