import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { writeInTurn } from '../../proto/write-in-turn.ts'

/** A stream whose reader decides when it reads. */
function openPipe() {
  const events = new EventEmitter()
  const unread: (() => void)[] = []
  return {
    outlet: {
      writableLength: 0,
      once: (event: 'close', listener: () => void) => events.once(event, listener),
    },
    /** Told to the writer: what it does when it is its turn. */
    put(bytes: number, written: () => void) {
      this.outlet.writableLength += bytes
      unread.push(() => {
        this.outlet.writableLength -= bytes
        written()
      })
    },
    read: () => unread.shift()?.(),
    close: () => events.emit('close'),
  }
}

function open(perProcess: number, total: number) {
  const writers = writeInTurn({ perProcess, total })
  const said: string[] = []
  return {
    said,
    waitingOf: writers.waitingOf,
    stream(pid: number) {
      const pipe = openPipe()
      const write = writers.of({ pid, uid: pid }, pipe.outlet)
      return {
        ...pipe,
        write: (name: string, bytes: number) =>
          write((written) => {
            said.push(name)
            pipe.put(bytes, written)
          }),
      }
    },
  }
}

test('a process that reads nothing is told no more beyond its bound, on whichever stream', () => {
  const { said, stream } = open(100, 1_000)
  stream(1).write('first', 60)
  stream(1).write('second', 60)
  stream(1).write('third', 60)
  expect(said).toEqual(['first', 'second'])
})

test('what waits is written in order as its process reads', () => {
  const { said, stream } = open(100, 1_000)
  const slow = stream(1)
  slow.write('first', 100)
  for (const name of ['second', 'third']) stream(1).write(name, 100)
  slow.read()
  expect(said).toEqual(['first', 'second'])
})

test('a process that reads is told at once, whoever else does not', () => {
  const { said, stream } = open(100, 200)
  for (const pid of [1, 2, 3]) stream(pid).write(`a lot for ${pid}`, 100)
  stream(4).write('another', 10)
  expect(said).toEqual(['a lot for 1', 'a lot for 2', 'a lot for 3', 'another'])
})

test('a stream that closes unread makes room, and is told nothing that waited for it', () => {
  const { said, stream } = open(100, 1_000)
  const [unread, waiting] = [stream(1), stream(1)]
  unread.write('first', 200)
  waiting.write('never', 10)
  stream(1).write('last', 10)
  waiting.close()
  expect(said).toEqual(['first'])
  unread.close()
  expect(said).toEqual(['first', 'last'])
})

test('a stream that closes after it was read gives nothing back twice', () => {
  const { said, stream } = open(100, 1_000)
  const one = stream(1)
  one.write('first', 100)
  one.read()
  one.close()
  stream(1).write('second', 100)
  stream(1).write('third', 100)
  expect(said).toEqual(['first', 'second'])
})

test('of a thousand streams that close while they wait nothing is kept, although their process reads nothing', () => {
  const { said, stream, waitingOf } = open(100, 1_000)
  const unread = stream(1)
  unread.write('first', 200)
  const others = Array.from({ length: 1_000 }, () => stream(1))
  for (const other of others) other.write('never', 10)
  stream(1).write('last', 10)
  expect(waitingOf(1)).toBe(1_001)
  for (const other of others) other.close()
  expect(waitingOf(1)).toBe(1)
  unread.close()
  expect(said).toEqual(['first', 'last'])
  expect(waitingOf(1)).toBe(0)
})
