/** The contract of the registry of servers and of what they ask each other. */
import { expect, test } from 'vitest'
import { MAX_QUESTIONS, QUESTION_KEPT_MS } from '../../../server/store/server-registry.ts'
import type { StoreUnderTest } from './store-under-test.ts'

export function serverRegistryContract(underTest: () => StoreUnderTest): void {
  const registry = () => underTest().store.servers
  const keys = async () => (await registry().list()).map(({ key }) => key)

  test('a server that enters is listed, with what it said and how long ago', async () => {
    expect(await registry().list()).toEqual([])
    expect(await registry().enter('b', 'one', 'said', undefined)).toBe(true)
    expect(await registry().enter('a', 'two', '', undefined)).toBe(true)
    const [a, b] = await registry().list()
    expect(a).toMatchObject({ key: 'a', incarnation: 'two', document: '' })
    expect(b).toMatchObject({ key: 'b', incarnation: 'one', document: 'said' })
    expect(b?.seenMsAgo).toBeGreaterThanOrEqual(0)
    expect(b?.seenMsAgo).toBeLessThan(60_000)
  })

  test('a row that is there is taken over only by who knows whose it was', async () => {
    await registry().enter('a', 'one', 'first', undefined)
    expect(await registry().enter('a', 'two', 'second', undefined)).toBe(false)
    expect(await registry().enter('a', 'two', 'second', 'other')).toBe(false)
    expect(await registry().list()).toMatchObject([{ incarnation: 'one', document: 'first' }])
    expect(await registry().enter('a', 'two', 'second', 'one')).toBe(true)
    expect(await registry().list()).toMatchObject([{ incarnation: 'two', document: 'second' }])
  })

  test('of many that take a row over at the same time, one has it', async () => {
    await registry().enter('a', 'one', '', undefined)
    const entering = Array.from({ length: 10 }, (_, i) => registry().enter('a', `n${i}`, '', 'one'))
    expect((await Promise.all(entering)).filter((taken) => taken)).toHaveLength(1)
  })

  test('only the process whose row it is can beat, leave, or be forgotten', async () => {
    await registry().enter('a', 'one', 'x', undefined)
    expect(await registry().beat('a', 'other', 'y')).toBe(false)
    expect(await registry().beat('nobody', 'one', 'y')).toBe(false)
    expect(await registry().beat('a', 'one', 'z')).toBe(true)
    await registry().leave('a', 'other')
    expect(await registry().list()).toMatchObject([{ incarnation: 'one', document: 'z' }])
    expect(await registry().forget('a', 'other')).toBe(false)
    await registry().leave('a', 'one')
    expect(await registry().list()).toMatchObject([{ incarnation: '', document: 'z' }])
    expect(await registry().beat('a', 'one', 'late')).toBe(false)
  })

  test('with a forgotten server go its journals and what it was asked, and nothing of another', async () => {
    const { caJournal } = underTest().store
    for (const key of ['a', 'b']) {
      await registry().enter(key, 'one', '', undefined)
      await caJournal.save(key, new Uint8Array([1]))
      await caJournal.save(`${key}/signing-ledger`, new Uint8Array([2]))
      await registry().ask([{ id: `to ${key}`, to: key, text: 'q' }])
    }
    expect(await registry().forget('a', 'one')).toBe(true)
    expect(await keys()).toEqual(['b'])
    expect(await caJournal.load('a')).toBeUndefined()
    expect(await caJournal.load('a/signing-ledger')).toBeUndefined()
    expect(await registry().unanswered('a')).toEqual([])
    expect(await caJournal.load('b')).toEqual(new Uint8Array([1]))
    expect(await caJournal.load('b/signing-ledger')).toEqual(new Uint8Array([2]))
    expect(await registry().unanswered('b')).toHaveLength(1)
  })

  test('a question reaches the server it is for, and its answer whoever asked', async () => {
    await registry().ask([
      { id: '1', to: 'a', text: 'how are you' },
      { id: '2', to: 'b', text: 'and you' },
    ])
    expect(await registry().unanswered('a')).toEqual([{ id: '1', to: 'a', text: 'how are you' }])
    expect(await registry().answers(['1', '2'])).toEqual(new Map())
    await registry().answer('1', 'well')
    expect(await registry().unanswered('a')).toEqual([])
    expect(await registry().answers(['1', '2', 'unknown'])).toEqual(new Map([['1', 'well']]))
    await registry().answer('unknown', 'kept nowhere')
    expect(await registry().answers(['unknown'])).toEqual(new Map())
    expect(await registry().answers([])).toEqual(new Map())
  })

  test('no more questions are handed out at a time than one can answer', async () => {
    const ids = Array.from({ length: MAX_QUESTIONS + 5 }, (_, i) => String(i).padStart(4, '0'))
    await registry().ask(ids.slice(0, 10).map((id) => ({ id, to: 'a', text: id })))
    await registry().ask(ids.slice(10, 100).map((id) => ({ id, to: 'a', text: id })))
    await registry().ask(ids.slice(100).map((id) => ({ id, to: 'a', text: id })))
    expect(await registry().unanswered('a')).toHaveLength(MAX_QUESTIONS)
  })

  test('what is fresh is not cleared away by the next question', async () => {
    await registry().ask([{ id: '1', to: 'a', text: 'q' }])
    await registry().ask([{ id: '2', to: 'a', text: 'q' }])
    expect(await registry().unanswered('a')).toHaveLength(2)
    expect(QUESTION_KEPT_MS).toBeGreaterThan(10_000)
  })
}
