import { expect, test } from 'vitest'
import { createBackoff } from '../../agent/backoff.ts'

test('each pause is half as long again as the one before, up to the cap', () => {
  const backoff = createBackoff({ initialMs: 100, capMs: 300, random: () => 0.5 })
  expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 150, 225, 300, 300])
})

test('a pause is varied by at most a tenth to either side', () => {
  expect(createBackoff({ initialMs: 100, capMs: 300, random: () => 0 }).next()).toBeCloseTo(90)
  expect(createBackoff({ initialMs: 100, capMs: 300, random: () => 0.999999 }).next()).toBeCloseTo(
    110,
  )
})

test('after a success the pauses begin anew', () => {
  const backoff = createBackoff({ initialMs: 100, capMs: 300, random: () => 0.5 })
  backoff.next()
  backoff.next()
  backoff.reset()
  expect(backoff.next()).toBe(100)
})
