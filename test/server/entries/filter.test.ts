import { expect, test } from 'vitest'
import { type EntryFilter, matchesFilter } from '../../../server/entries/filter.ts'
import { type MatchBehavior, matchesSet } from '../../../server/entries/set-match.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { entry, idOf, selectorsOf } from './sample-entry.ts'

// The columns were read off a real SPIRE server: exact, subset, superset, any.
test.for<[string, readonly string[], readonly [boolean, boolean, boolean, boolean]]>([
  ['the same set', ['1', '2'], [true, true, true, true]],
  ['the same set in another order', ['2', '1'], [true, true, true, true]],
  ['a part of it', ['1'], [false, true, false, true]],
  ['more than it', ['1', '2', '3'], [false, false, true, true]],
  ['a set that overlaps it', ['1', '3'], [false, false, false, true]],
  ['a set apart from it', ['3'], [false, false, false, false]],
  ['an empty set', [], [false, false, false, false]],
])('compared with {1, 2}, %s', ([, candidate, expected]) => {
  const behaviors: readonly MatchBehavior[] = ['exact', 'subset', 'superset', 'any']
  const answers = behaviors.map((match) =>
    matchesSet(candidate, { match, values: ['1', '2', '2'] }),
  )
  expect(answers).toEqual(expected)
})

test.for<MatchBehavior>(['exact', 'subset', 'superset', 'any'])(
  'nothing is a match of an empty set by %s',
  (match) => {
    expect(matchesSet([], { match, values: [] })).toBe(false)
    expect(matchesSet(['1'], { match, values: [] })).toBe(false)
  },
)

const web = entry('web', {
  selectors: selectorsOf('unix:uid:1', 'unix:gid:2'),
  federatesWith: [parseTrustDomain('partner.org')],
  hint: 'internal',
})

test.for<[string, EntryFilter]>([
  ['nothing', {}],
  ['its SPIFFE ID', { spiffeId: web.spiffeId }],
  ['its parent', { parentId: web.parentId }],
  ['its hint', { hint: 'internal' }],
  ['an empty hint, which asks for nothing', { hint: '' }],
  ['not being downstream', { downstream: false }],
  ['one of its selectors', { selectors: { match: 'any', values: selectorsOf('unix:uid:1') } }],
  [
    'its trust domains',
    { federatesWith: { match: 'exact', values: [parseTrustDomain('partner.org')] } },
  ],
])('an entry is found by %s', ([, filter]) => {
  expect(matchesFilter(web, filter)).toBe(true)
})

test.for<[string, EntryFilter]>([
  ['another SPIFFE ID', { spiffeId: idOf('/db') }],
  ['another parent', { parentId: idOf('/spire/agent/x') }],
  ['another hint', { hint: 'external' }],
  ['being downstream', { downstream: true }],
  ['one right and one wrong', { spiffeId: web.spiffeId, hint: 'external' }],
  ['a part of its selectors', { selectors: { match: 'exact', values: selectorsOf('unix:uid:1') } }],
  [
    'a foreign trust domain',
    { federatesWith: { match: 'any', values: [parseTrustDomain('other.org')] } },
  ],
])('an entry is not found by %s', ([, filter]) => {
  expect(matchesFilter(web, filter)).toBe(false)
})
