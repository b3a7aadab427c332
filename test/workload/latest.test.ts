import { expect, test } from 'vitest'
import { IdentityError } from '../../spiffe/error.ts'
import { createLatest, opened } from '../../workload/latest.ts'

const denied = new IdentityError('NO_IDENTITY_ISSUED', 'no identity issued')

async function take<T>(count: number, from: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = []
  if (count === 0) return taken
  for await (const one of from) {
    taken.push(one)
    if (taken.length === count) break
  }
  return taken
}

test('has nothing to read before the first value, and says so', () => {
  expect(() => createLatest<number>().current()).toThrow(/there was no answer yet/)
})

test('a reader that comes late gets the newest value at once', async () => {
  const latest = createLatest<number>()
  latest.set(1)
  latest.set(2)
  expect(latest.current()).toBe(2)
  expect(await take(1, latest.updates())).toEqual([2])
})

test('every reader sees changes; a slow one only the newest', async () => {
  const latest = createLatest<number>()
  latest.set(1)
  const reader = latest.updates()[Symbol.asyncIterator]()
  expect((await reader.next()).value).toBe(1)
  const waiting = reader.next()
  latest.set(2)
  expect((await waiting).value).toBe(2)
  latest.set(3)
  latest.set(4)
  expect((await reader.next()).value).toBe(4)
})

test('what was withdrawn cannot be read, until there is something new', async () => {
  const latest = createLatest<number>()
  latest.set(1)
  latest.withdraw(denied)
  expect(() => latest.current()).toThrow(denied)
  const next = take(1, latest.updates())
  latest.set(2)
  expect(await next).toEqual([2])
  expect(latest.current()).toBe(2)
})

test('a failure for good ends the readers, and leaves the last value', async () => {
  const latest = createLatest<number>()
  latest.set(1)
  const reading = take(2, latest.updates())
  latest.fail(denied)
  await expect(reading).rejects.toBe(denied)
  expect(latest.current()).toBe(1)
})

test('closing ends the readers without an error, and nothing can be read or set any more', async () => {
  const latest = createLatest<number>()
  latest.set(1)
  const reading = take(2, latest.updates())
  latest.close()
  latest.set(2)
  expect(await reading).toEqual([1])
  expect(() => latest.current()).toThrow(/the source is closed/)
})

test('a reader can stop waiting', async () => {
  const latest = createLatest<number>()
  const stop = new AbortController()
  const reading = take(1, latest.updates(stop.signal))
  stop.abort()
  expect(await reading).toEqual([])
  expect(await take(1, latest.updates(AbortSignal.abort()))).toEqual([])
})

test('listeners hear every change until they are disposed of, once for each time they were given', () => {
  const latest = createLatest<number>()
  let heard = 0
  const listen = () => {
    heard += 1
  }
  const first = latest.onChange(listen)
  latest.onChange(listen)
  latest.set(1)
  expect(heard).toBe(2)
  first[Symbol.dispose]()
  latest.withdraw(denied)
  expect(heard).toBe(3)
})

test('a source that never gets a value is disposed of', async () => {
  const latest = createLatest<number>()
  let disposed = false
  const source = {
    async [Symbol.asyncDispose]() {
      disposed = true
    },
  }
  const opening = opened(source, latest)
  latest.fail(denied)
  await expect(opening).rejects.toBe(denied)
  expect(disposed).toBe(true)
  const closed = createLatest<number>()
  closed.close()
  await expect(closed.first()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
