/** The contract of join tokens, CA journals, and of opening and closing. */
import { expect, test } from 'vitest'
import { idOf, newEntry } from '../entries/sample-entry.ts'
import { START, type StoreUnderTest } from './store-under-test.ts'

const later = new Date(START.getTime() + 60_000)
const closed = expect.objectContaining({ code: 'UNAVAILABLE', message: 'the store is closed' })

export function smallStoresContract(underTest: () => StoreUnderTest): void {
  const tokens = () => underTest().store.joinTokens

  test('a join token works once', async () => {
    expect(await tokens().create({ token: 'abc', expiresAt: later })).toBe(true)
    expect(await tokens().redeem('abc')).toEqual({ token: 'abc', expiresAt: later })
    expect(await tokens().redeem('abc')).toBeUndefined()
  })

  test('of many that redeem a token at the same time, one gets it', async () => {
    await tokens().create({ token: 'abc', expiresAt: later })
    const answers = await Promise.all(Array.from({ length: 20 }, () => tokens().redeem('abc')))
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1)
  })

  test('an expired token is returned, so that its use can be refused, and used up', async () => {
    await tokens().create({ token: 'abc', expiresAt: new Date(0) })
    expect(await tokens().redeem('abc')).toEqual({ token: 'abc', expiresAt: new Date(0) })
    expect(await tokens().redeem('abc')).toBeUndefined()
  })

  test('a token that is there cannot be created again, and keeps its expiry', async () => {
    await tokens().create({ token: 'abc', expiresAt: START })
    expect(await tokens().create({ token: 'abc', expiresAt: later })).toBe(false)
    expect((await tokens().redeem('abc'))?.expiresAt).toEqual(START)
  })

  test.for(['', 'ab', 'abcd', 'ABC', 'abc '])(
    'the token abc is not redeemed by %j',
    async (token) => {
      await tokens().create({ token: 'abc', expiresAt: later })
      expect(await tokens().redeem(token)).toBeUndefined()
    },
  )

  test('expired tokens are pruned, no more than asked', async () => {
    for (const token of ['a', 'b', 'c']) await tokens().create({ token, expiresAt: START })
    await tokens().create({ token: 'valid', expiresAt: later })
    expect(await tokens().pruneExpired(later, 2)).toBe(2)
    expect(await tokens().pruneExpired(later, 2)).toBe(1)
    expect(await tokens().pruneExpired(later, 2)).toBe(0)
    expect(await tokens().redeem('valid')).toBeDefined()
  })

  test('a journal is what was saved last, for each server its own', async () => {
    const { caJournal } = underTest().store
    const document = new Uint8Array(300).map((_, i) => i)
    expect(await caJournal.load('one')).toBeUndefined()
    await caJournal.save('one', new Uint8Array([1]))
    await caJournal.save('one', document)
    await caJournal.save('two', new Uint8Array())
    expect(await caJournal.load('one')).toEqual(document)
    expect(await caJournal.load('two')).toEqual(new Uint8Array())
  })

  test('journals that were not saved for long are pruned', async () => {
    const { caJournal } = underTest().store
    await caJournal.save('gone', new Uint8Array([1]))
    await caJournal.save('alive', new Uint8Array([1]))
    underTest().setNow(later)
    await caJournal.save('alive', new Uint8Array([2]))
    expect(await caJournal.prune(later, 10)).toBe(1)
    expect(await caJournal.load('gone')).toBeUndefined()
    expect(await caJournal.load('alive')).toEqual(new Uint8Array([2]))
  })

  test('an open store is healthy', async () => {
    await expect(underTest().store.checkHealth()).resolves.toBeUndefined()
  })

  test('closing finishes the writes called before it', async () => {
    const { store } = underTest()
    const writes = Array.from({ length: 300 }, (_, i) =>
      store.entries.create([newEntry({ spiffeId: idOf(`/w${i}`) })]),
    )
    await store.close()
    const results = (await Promise.all(writes)).flat()
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['created']))
  })

  test('a closed store refuses everything, and may be closed again', async () => {
    const { store } = underTest()
    await store.close()
    await expect(store.checkHealth()).rejects.toThrow(closed)
    await expect(store.entries.find('x')).rejects.toThrow(closed)
    await expect(store.entries.create([newEntry()])).rejects.toThrow(closed)
    await expect(store.changes.latest()).rejects.toThrow(closed)
    await expect(store.close()).resolves.toBeUndefined()
  })
}
