import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEntryIndex } from '../../../agent/cache/entry-index.ts'
import { isSatisfied, parseSelector } from '../../../spiffe/selector.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'

const selectors = ['a:1', 'b:2', 'c:3', 'd:4'].map(parseSelector)
const someSelectors = fc.subarray(selectors)
const idsOf = (entries: readonly { entryId: string }[]) => entries.map(({ entryId }) => entryId)

test('finds an entry when all of its selectors are there, whatever else is', () => {
  const index = createEntryIndex()
  index.put(cachedEntry('one', { selectors: selectors.slice(0, 2) }))
  expect(idsOf(index.matching(new Set(selectors)))).toEqual(['one'])
})

test('does not find an entry of which one selector is missing', () => {
  const index = createEntryIndex()
  index.put(cachedEntry('one', { selectors: selectors.slice(0, 2) }))
  expect(index.matching(new Set(selectors.slice(1)))).toEqual([])
})

test('an entry without selectors is for nobody', () => {
  const index = createEntryIndex()
  index.put(cachedEntry('one', { selectors: [] }))
  expect(index.matching(new Set(selectors))).toEqual([])
  expect(index.matching(new Set())).toEqual([])
})

test('an entry that gets other selectors, or none, is no longer found by the old ones', () => {
  const index = createEntryIndex()
  index.put(cachedEntry('one', { selectors: selectors.slice(0, 1) }))
  index.put(cachedEntry('one', { selectors: selectors.slice(1, 2) }))
  expect(index.matching(new Set(selectors.slice(0, 1)))).toEqual([])
  index.put(cachedEntry('one', { selectors: [] }))
  expect(index.matching(new Set(selectors))).toEqual([])
})

test('workloads with the same selectors share what was found, and no others do', () => {
  const index = createEntryIndex()
  index.put(cachedEntry('one', { selectors: selectors.slice(0, 1) }))
  expect(index.matching(new Set(selectors))).toBe(index.matching(new Set(selectors)))
  expect(index.matching(new Set(selectors.slice(1)))).toEqual([])
})

test('selectors that hold commas and quotes are not taken for several', () => {
  const index = createEntryIndex()
  index.put(cachedEntry('one', { selectors: [parseSelector('a:1')] }))
  expect(idsOf(index.matching(new Set([parseSelector('a:1'), parseSelector('b:2')])))).toEqual([
    'one',
  ])
  expect(index.matching(new Set([parseSelector('a:1","b:2')]))).toEqual([])
  expect(index.matching(new Set([parseSelector('a:1,b:2')]))).toEqual([])
})

test('more kinds of callers than are remembered are all answered rightly', () => {
  const index = createEntryIndex()
  index.put(cachedEntry('one', { selectors: [parseSelector('n:7')] }))
  for (let round = 0; round < 2; round++) {
    for (let kind = 0; kind < 5_000; kind++) {
      const found = index.matching(new Set([parseSelector(`n:${kind}`)]))
      if (found.length !== (kind === 7 ? 1 : 0)) throw new Error(`kind ${kind}: ${found.length}`)
    }
  }
  expect(idsOf(index.matching(new Set([parseSelector('n:7')])))).toEqual(['one'])
})

test('who asks again with the same set hears of every entry that has come, changed or gone since', () => {
  const index = createEntryIndex()
  const asked = new Set(selectors)
  expect(index.matching(asked)).toEqual([])
  index.put(cachedEntry('one', { selectors: selectors.slice(0, 1) }))
  expect(idsOf(index.matching(asked))).toEqual(['one'])
  index.put(cachedEntry('one', { selectors: selectors.slice(0, 1), hint: 'new' }))
  expect(index.matching(asked)[0]?.hint).toBe('new')
  index.remove('one')
  expect(index.matching(asked)).toEqual([])
})

test('finds what a look at every entry would find, in entry-ID order, after any puts and removals', () => {
  const step = fc.record({
    entryId: fc.constantFrom('e1', 'e2', 'e3', 'e4', 'e5'),
    selectors: fc.option(someSelectors, { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), someSelectors, (steps, present) => {
      const index = createEntryIndex()
      const all = new Map<string, ReturnType<typeof cachedEntry>>()
      for (const { entryId, selectors: wanted } of steps) {
        if (wanted === undefined) {
          index.remove(entryId)
          all.delete(entryId)
          continue
        }
        const entry = cachedEntry(entryId, { selectors: wanted })
        index.put(entry)
        all.set(entryId, entry)
      }
      const expected = [...all.values()].filter((entry) =>
        isSatisfied(entry.selectors, new Set(present)),
      )
      expect(idsOf(index.matching(new Set(present)))).toEqual(idsOf(expected).sort())
    }),
  )
})
