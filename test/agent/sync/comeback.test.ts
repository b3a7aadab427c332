import { expect, test } from 'vitest'
import { createComeback } from '../../../agent/sync/comeback.ts'
import { IdentityError } from '../../../spiffe/error.ts'

const AWAY = new IdentityError('UNAVAILABLE', 'away')
const CROWDED = new IdentityError('RATE_LIMITED', 'too many at once')

const pauses = (count: number, roll: number, error: unknown) => {
  const comeback = createComeback(() => roll)
  return Array.from({ length: count }, () => comeback.next(error))
}

test('the first attempt after a loss is quick, for the luckiest and for the others', () => {
  expect(pauses(1, 0, AWAY)).toEqual([100])
  expect(pauses(1, 1, AWAY)).toEqual([600])
})

test('further attempts fall anywhere in a window that grows to five seconds', () => {
  expect(pauses(6, 1, AWAY)).toEqual([600, 1_200, 2_400, 4_800, 5_000, 5_000])
  expect(pauses(6, 0, AWAY)).toEqual([100, 100, 100, 100, 100, 100])
})

test('who is told that too many come at once spreads over up to a minute', () => {
  expect(pauses(9, 1, CROWDED)).toEqual([
    600, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 60_000, 60_000,
  ])
  expect(pauses(9, 0.5, CROWDED).at(-1)).toBe(30_050)
})

test('a window that crowds have widened is not kept for other failures', () => {
  const comeback = createComeback(() => 1)
  for (let n = 0; n < 9; n++) comeback.next(CROWDED)
  expect(comeback.next(AWAY)).toBe(5_000)
})

test('a success makes the next attempt quick again', () => {
  const comeback = createComeback(() => 1)
  for (let n = 0; n < 5; n++) comeback.next(AWAY)
  comeback.reset()
  expect(comeback.next(AWAY)).toBe(600)
})
