import { expect, test } from 'vitest'
import { createNews } from '../../../agent/cache/news.ts'

/** Whether a promise is still open after all that can happen by itself has happened. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending
}

const { signal: never } = new AbortController()

test('what is there already is found at once', async () => {
  expect(await createNews().until(() => 'there', never)).toBe('there')
})

test('who finds nothing goes on waiting, and is given what it finds at the first news that has it', async () => {
  const news = createNews()
  let there: string | undefined
  let looks = 0
  const found = news.until(() => {
    looks += 1
    return there
  }, never)
  news.tell()
  expect(await isPending(found)).toBe(true)
  there = 'at last'
  expect(await isPending(found)).toBe(true) // nobody has said so
  news.tell()
  expect(await found).toBe('at last')
  news.tell()
  expect(looks).toBe(3)
})

test('an abort ends the wait with nothing, and nobody looks any more', async () => {
  const news = createNews()
  const stop = new AbortController()
  let looks = 0
  const look = () => {
    looks += 1
    return undefined
  }
  const found = news.until(look, stop.signal)
  stop.abort()
  expect(await found).toBeUndefined()
  news.tell()
  expect(looks).toBe(1)
  expect(await news.until(look, stop.signal)).toBeUndefined()
  expect(looks).toBe(1)
})

test('a look that throws fails its own wait alone', async () => {
  const news = createNews()
  let isBroken = false
  const broken = news.until(() => {
    if (isBroken) throw new Error('broken')
    return undefined
  }, never)
  const other = news.until(() => (isBroken ? 'fine' : undefined), never)
  isBroken = true
  news.tell()
  await expect(broken).rejects.toThrow('broken')
  expect(await other).toBe('fine')
})

test('news from before the version that was seen wakes nobody; any later news does, and so does an abort', async () => {
  const news = createNews()
  news.tell()
  const seen = news.version()
  const stop = new AbortController()
  const later = news.after(seen, never)
  const aborted = news.after(seen, stop.signal)
  expect(await isPending(later)).toBe(true)
  stop.abort()
  expect(await aborted).toBeUndefined()
  news.tell()
  expect(await later).toBeUndefined()
  expect(await news.after(seen, never)).toBeUndefined() // missed by nobody
})

/** A thousand who wait until `there` is something. */
function crowd() {
  const turns: (() => void)[] = []
  const news = createNews((then) => turns.push(then))
  const found: number[] = []
  let there = false
  const join = (who: number, signal = never) =>
    void news
      .until(() => (there ? true : undefined), signal)
      .then((what) => (what === true ? found.push(who) : undefined))
  for (let who = 0; who < 1_000; who++) join(who)
  return {
    ...{ news, found, join },
    show() {
      there = true
      news.tell()
    },
    /** @returns how many turns there are to come */
    async nextTurn() {
      for (const then of turns.splice(0)) then()
      await Promise.resolve()
      return turns.length
    },
    settled: () => Promise.resolve(),
  }
}

test('of a thousand whom news concerns a few are told in each turn, in order, and all in the end', async () => {
  const { found, show, nextTurn, settled } = crowd()
  show()
  await settled()
  expect(found).toEqual(Array.from({ length: 32 }, (_, who) => who))
  let turns = 0
  while ((await nextTurn()) > 0) turns += 1
  expect(turns).toBe(30)
  expect(found).toEqual(Array.from({ length: 1_000 }, (_, who) => who))
})

test('news that concerns nobody is over in the turn in which it is told, and what waits for any news is told then', async () => {
  const { news, found, nextTurn } = crowd()
  const any = news.after(news.version(), never)
  news.tell()
  expect(await any).toBeUndefined()
  expect(found).toEqual([])
  expect(await nextTurn()).toBe(0)
})

test('who leaves or comes while others are told is not told again, and news meanwhile is for all who are left', async () => {
  const { news, found, join, show, nextTurn } = crowd()
  const stop = new AbortController()
  join(1_000, stop.signal)
  show()
  stop.abort()
  join(1_001) // finds it by itself
  await nextTurn()
  expect(found).toContain(1_001)
  news.tell()
  while ((await nextTurn()) > 0);
  expect(new Set(found)).toEqual(new Set([...Array(1_000).keys(), 1_001]))
  expect(found).toHaveLength(1_001)
})
