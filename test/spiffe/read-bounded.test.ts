import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readBounded } from '../../spiffe/read-bounded.ts'

async function* chunks(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text)
}

test('gives all that came, in its order', async () => {
  expect(await readBounded(chunks('one', ' ', 'two'), 7)).toEqual(Buffer.from('one two'))
  expect(await readBounded(chunks(), 0)).toEqual(Buffer.alloc(0))
})

test('refuses one byte too many, and reads nothing behind it', async () => {
  let told = 0
  async function* endless() {
    for (;;) {
      told += 1
      yield Buffer.alloc(1_000)
    }
  }
  expect(await readBounded(chunks('one', 'two', '!'), 6)).toBeUndefined()
  expect(await readBounded(endless(), 2_500)).toBeUndefined()
  expect(told).toBe(3)
})

test('closes the stream that brings too much', async () => {
  const stream = Readable.from([Buffer.alloc(10), Buffer.alloc(10)])
  expect(await readBounded(stream, 5)).toBeUndefined()
  expect(stream.destroyed).toBe(true)
})

test('fails with what the stream fails with', async () => {
  async function* broken() {
    yield Buffer.alloc(1)
    throw new Error('cut off')
  }
  await expect(readBounded(broken(), 10)).rejects.toThrow('cut off')
})
