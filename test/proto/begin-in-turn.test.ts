import { expect, test } from 'vitest'
import { beginInTurn } from '../../proto/begin-in-turn.ts'

function open() {
  const turns: (() => void)[] = []
  const begun: string[] = []
  const inTurn = beginInTurn((then) => turns.push(then))
  return {
    begun,
    call: (pid: number, name = `call of ${pid}`) => inTurn(pid, () => begun.push(name)),
    turn: () => turns.shift()?.(),
    isIdle: () => turns.length === 0,
  }
}

test('a call begins at once where nobody makes many', () => {
  const { begun, call } = open()
  call(1)
  call(2)
  expect(begun).toEqual(['call of 1', 'call of 2'])
})

test('of a thousand calls at once a few begin, and the others wait for the next turns', () => {
  const { begun, call, turn, isIdle } = open()
  for (let at = 0; at < 1_000; at += 1) call(1, String(at))
  expect(begun).toHaveLength(32)
  turn()
  expect(begun).toHaveLength(64)
  while (!isIdle()) turn()
  expect(begun).toEqual(Array.from({ length: 1_000 }, (_, at) => String(at)))
})

test('another process does not wait behind them', () => {
  const { begun, call, turn } = open()
  for (let at = 0; at < 1_000; at += 1) call(1)
  call(2)
  expect(begun).not.toContain('call of 2')
  turn()
  expect(begun).toContain('call of 2')
})

test('of many processes with many calls each gets its turn before any gets a second one', () => {
  const { begun, call, turn } = open()
  const pids = Array.from({ length: 48 }, (_, at) => at + 1)
  for (let at = 0; at < 32; at += 1) call(99)
  begun.length = 0
  for (const pid of [...pids, ...pids]) call(pid)
  for (let turns = 0; turns < 3; turns += 1) turn()
  expect(begun).toEqual([...pids, ...pids].map((pid) => `call of ${pid}`))
})

test('a call that begins another does not take the turn of those that wait', () => {
  const turns: (() => void)[] = []
  const begun: number[] = []
  const inTurn = beginInTurn((then) => turns.push(then))
  const again = () => {
    begun.push(1)
    if (begun.length < 100) inTurn(1, again)
  }
  inTurn(1, again)
  expect(begun).toHaveLength(32)
  inTurn(2, () => begun.push(2))
  turns.shift()?.()
  expect(begun).toContain(2)
})
