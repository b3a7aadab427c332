import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { beginInTurn } from '../../proto/begin-in-turn.ts'

/** A stream that closes when its caller says so. */
function openStream() {
  const events = new EventEmitter()
  return {
    closed: false,
    once: (event: 'close', listener: () => void) => events.once(event, listener),
    /** As HTTP/2 does it: it is known to be over before everything of it has been read. */
    end() {
      this.closed = true
    },
    close() {
      this.end()
      events.emit('close')
    },
  }
}

function open() {
  const turns: (() => void)[] = []
  const begun: string[] = []
  const inTurn = beginInTurn((then) => turns.push(then))
  return {
    begun,
    call(pid: number, name = `call of ${pid}`) {
      const stream = openStream()
      inTurn(pid, stream, () => begun.push(name))
      return stream
    },
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
    if (begun.length < 100) inTurn(1, openStream(), again)
  }
  inTurn(1, openStream(), again)
  expect(begun).toHaveLength(32)
  inTurn(2, openStream(), () => begun.push(2))
  turns.shift()?.()
  expect(begun).toContain(2)
})

test('a call that has ended before its turn never begins, and takes the turn of no other', () => {
  const { begun, call, turn, isIdle } = open()
  const calls = Array.from({ length: 1_000 }, (_, at) => call(1, String(at)))
  begun.length = 0
  for (const [at, stream] of calls.slice(0, 990).entries()) {
    if (at % 2 === 0) stream.close()
    else stream.end()
  }
  turn()
  expect(begun).toEqual(Array.from({ length: 10 }, (_, at) => String(990 + at)))
  while (!isIdle()) turn()
  expect(begun).toHaveLength(10)
})

test('where all that wait have ended the next call begins at once', () => {
  const { begun, call, turn } = open()
  const calls = Array.from({ length: 40 }, () => call(1))
  for (const stream of calls) stream.close()
  turn()
  begun.length = 0
  call(2)
  expect(begun).toEqual(['call of 2'])
})

test('a call that is over when it comes does not begin', () => {
  const begun: string[] = []
  const stream = openStream()
  stream.end()
  beginInTurn(() => {})(1, stream, () => begun.push('ended'))
  expect(begun).toEqual([])
})
