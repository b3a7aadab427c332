import fc from 'fast-check'
import { expect, test } from 'vitest'
import { closestEntries } from '../../../agent/explain/closest-entries.ts'
import { parseSelector, type Selector } from '../../../spiffe/selector.ts'

const selectors = (text: string): readonly Selector[] =>
  text
    .split(' ')
    .filter((one) => one !== '')
    .map((one) => parseSelector(`unix:${one}`))
const entry = (entryId: string, text: string) => ({ entryId, selectors: selectors(text) })
const ranked = (entries: readonly ReturnType<typeof entry>[], text: string, count = 9) =>
  closestEntries(entries, new Set(selectors(text)), count).map(
    ({ entry: { entryId }, missing }) => `${entryId}:${missing.length}`,
  )

test.for([
  ['what matches comes first', [entry('far', 'x y'), entry('all', 'a b')], ['all:0', 'far:2']],
  [
    'fewer missing come before more',
    [entry('two', 'a x y'), entry('one', 'x')],
    ['one:1', 'two:2'],
  ],
  [
    'of as many missing, more in common come first',
    [entry('a', 'x'), entry('b', 'a x')],
    ['b:1', 'a:1'],
  ],
  [
    'of the same, the lower entry ID comes first',
    [entry('b', 'x'), entry('a', 'y')],
    ['a:1', 'b:1'],
  ],
] as const)('%s', ([, entries, order]) => {
  expect(ranked([...entries], 'a b')).toEqual(order)
  expect(ranked([...entries].reverse(), 'a b')).toEqual(order)
})

test('an entry without selectors is for nobody, so it is close to nobody', () => {
  expect(ranked([entry('none', '')], 'a b')).toEqual([])
})

test('the alias of a node is not for processes', () => {
  const alias = { entryId: 'alias', selectors: [parseSelector('spiffe_id:spiffe://example.org/n')] }
  expect(ranked([alias, entry('a', 'x')], 'a')).toEqual(['a:1'])
})

test('no more are told than are asked for, and none when none are', () => {
  const entries = ['d', 'b', 'c', 'a'].map((id) => entry(id, 'x'))
  expect(ranked(entries, 'a', 2)).toEqual(['a:1', 'b:1'])
  expect(ranked(entries, 'a', 0)).toEqual([])
})

test('the closest of many are those that sorting all of them would put first', () => {
  const letters = fc.subarray(['a', 'b', 'c', 'd', 'e'], { minLength: 1 })
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 40 }), letters, fc.nat(10), (all, own, count) => {
      const entries = all.map((one, at) => entry(String(at).padStart(2, '0'), one.join(' ')))
      const everyone = ranked(entries, own.join(' '), entries.length)
      expect(everyone).toHaveLength(entries.length)
      expect(ranked(entries, own.join(' '), count)).toEqual(everyone.slice(0, count))
      const missing = everyone.map((one) => Number(one.split(':')[1]))
      expect(missing).toEqual(missing.toSorted((a, b) => a - b))
    }),
  )
})
