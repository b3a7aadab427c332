import { expect, test } from 'vitest'
import { onePerHint } from '../../../agent/cache/one-per-hint.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'

const chosen = (...entries: readonly (readonly [string, string, number])[]) =>
  onePerHint(
    entries.map(([entryId, hint, createdAt]) => cachedEntry(entryId, { hint, createdAt })),
  ).map(({ entryId }) => entryId)

test('all entries without a hint stay', () => {
  expect(chosen(['a', '', 1], ['b', '', 1])).toEqual(['a', 'b'])
})

test('of two entries with the same hint the older one stays', () => {
  expect(chosen(['a', 'db', 2], ['b', 'db', 1])).toEqual(['b'])
})

test('of two equally old entries with the same hint the one with the lower ID stays', () => {
  expect(chosen(['b', 'db', 1], ['a', 'db', 1])).toEqual(['a'])
})

test('the order is kept, and other hints are untouched', () => {
  expect(chosen(['a', 'db', 2], ['b', '', 9], ['c', 'web', 3], ['d', 'db', 1])).toEqual([
    'b',
    'c',
    'd',
  ])
})
