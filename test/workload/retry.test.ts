import { expect, test } from 'vitest'
import { createRetry } from '../../workload/retry.ts'

const pauses = (count: number, random: () => number) => {
  const retry = createRetry(random)
  return Array.from({ length: count }, () => retry.next())
}

test('the first retry is immediate, later ones wait twice as long up to half a minute', () => {
  expect(pauses(10, () => 0.5)).toEqual([
    0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ])
})

test('jitter stays within a fifth of the pause, to both sides', () => {
  expect(pauses(3, () => 0)).toEqual([0, 200, 400])
  expect(pauses(3, () => 0.999_999).map(Math.round)).toEqual([0, 300, 600])
})

test('a success makes the next retry immediate again', () => {
  const retry = createRetry(() => 0.5)
  retry.next()
  retry.next()
  retry.reset()
  expect([retry.next(), retry.next()]).toEqual([0, 250])
})
