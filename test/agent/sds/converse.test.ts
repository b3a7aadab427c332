/** Two sides of a stream: neither waits for the other, and both end together. */
import { expect, test } from 'vitest'
import { converse } from '../../../agent/sds/converse.ts'

const { signal } = new AbortController()

/** Values that come when the test gives them. */
function pipe<T>() {
  const values: T[] = []
  let wake = Promise.withResolvers<void>()
  let isOver = false
  return {
    give(value: T) {
      values.push(value)
      wake.resolve()
    },
    end() {
      isOver = true
      wake.resolve()
    },
    async *read(until: AbortSignal = signal): AsyncGenerator<T> {
      until.addEventListener('abort', () => wake.resolve())
      while (!until.aborted) {
        const value = values.shift()
        if (value !== undefined) yield value
        else if (isOver) return
        else {
          await wake.promise
          wake = Promise.withResolvers()
        }
      }
    },
  }
}

function open(change: { readonly fails?: string } = {}) {
  const [requests, states] = [pipe<string>(), pipe<string>()]
  const said: string[] = []
  const stop = new AbortController()
  const take = (kind: string) => async (value: string) => {
    said.push(`${kind} ${value}`)
    if (value === change.fails) throw new Error(`${value} is refused`)
  }
  let left = 0
  async function* watch(until: AbortSignal) {
    try {
      yield* states.read(until)
    } finally {
      left += 1
    }
  }
  const talk = { requests: requests.read(), states: watch, hear: take('heard'), see: take('saw') }
  return { requests, states, said, stop, left: () => left, over: converse(talk, stop.signal) }
}

test('the first state comes before a request that was there earlier', async () => {
  const { requests, states, said, over } = open()
  requests.give('a')
  states.give('1')
  await expect.poll(() => said).toEqual(['saw 1', 'heard a'])
  states.give('2')
  requests.give('b')
  await expect.poll(() => said.length).toBe(4)
  requests.end()
  await over
})

test('a client that has said its last ends it, and the states are left', async () => {
  const { requests, states, left, over } = open()
  states.give('1')
  requests.end()
  await over
  await expect.poll(left).toBe(1)
})

test.for(['a', '1', '2'])('a failure at %s ends both sides', async (fails) => {
  const { requests, states, said, left, over } = open({ fails })
  const refused = expect(over).rejects.toThrow(`${fails} is refused`)
  states.give('1')
  requests.give('a')
  states.give('2')
  await refused
  await expect.poll(left).toBe(1)
  const before = said.length
  requests.give('b')
  states.give('3')
  await new Promise(setImmediate)
  expect(said).toHaveLength(before)
})

test('it ends when its signal aborts, also before anything has come', async () => {
  const { stop, over, said } = open()
  stop.abort()
  await over
  expect(said).toEqual([])
})
