import { expect, test } from 'vitest'
import { countPerTurn } from '../../proto/count-per-turn.ts'

/** A loop that turns when it is told to. */
function turns() {
  const due: (() => void)[] = []
  return {
    next: (then: () => void) => due.push(then),
    turn() {
      for (const then of due.splice(0)) then()
    },
    due,
  }
}

test('the first beyond the limit is one too many, and all after it in that turn', () => {
  const count = countPerTurn(2, turns().next)
  expect([1, 2, 3, 4].map(() => count(7))).toEqual([false, false, true, true])
})

test('processes do not count for each other', () => {
  const count = countPerTurn(1, turns().next)
  expect([7, 8, 7, 8].map(count)).toEqual([false, false, true, true])
})

test('a turn does not count for the next, and asks for it once', () => {
  const { next, turn, due } = turns()
  const count = countPerTurn(1, next)
  for (let at = 0; at < 3; at += 1) {
    expect([7, 8].map(count)).toEqual([false, false])
    expect(due).toHaveLength(1)
    turn()
  }
  expect(due).toEqual([])
})
