/** The order of `entry show`, as it was seen of spire-server 1.15.3. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_ENTRY } from '../../../../cli/server/entry/entry-flags.ts'
import { sortEntries } from '../../../../cli/server/entry/entry-order.ts'

const at = (path: string) => ({ trust_domain: 'example.org', path })
const selectors = (...texts: readonly string[]) =>
  texts.map((text) => ({ type: text.split(':')[0] ?? '', value: text.split(':')[1] ?? '' }))
const entry = (id: string, changes: Partial<typeof EMPTY_ENTRY>) => ({
  ...EMPTY_ENTRY,
  id,
  spiffe_id: at('/sort'),
  parent_id: at('/pa'),
  ...changes,
})

const IN_ORDER = [
  entry('other domain', { spiffe_id: { trust_domain: 'a.org', path: '/z' } }),
  entry('dash before slash', { spiffe_id: at('/one-x') }),
  entry('slash', { spiffe_id: at('/one/x') }),
  entry('s8', { selectors: selectors('a:10') }),
  entry('s7', { selectors: selectors('a:4') }),
  entry('s9', { selectors: selectors('aa:1') }),
  entry('s5', { selectors: selectors('a:9', 'c:1', 'z:0') }),
  entry('s6', { selectors: selectors('a:3'), jwt_svid_ttl: 9 }),
  entry('s1', { selectors: selectors('a:2'), x509_svid_ttl: 100 }),
  entry('s4', { selectors: selectors('b:1', 'z:0'), x509_svid_ttl: 100 }),
  entry('s2', { selectors: selectors('a:1'), x509_svid_ttl: 200 }),
  entry('s3', { selectors: selectors('a:1'), x509_svid_ttl: 50, parent_id: at('/pb') }),
]

test('sorts entries whatever order they come in', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(IN_ORDER, { minLength: IN_ORDER.length }), (shuffled) => {
      expect(sortEntries(shuffled).map(({ id }) => id)).toEqual(IN_ORDER.map(({ id }) => id))
    }),
  )
})

test('sorts the selectors of each, and leaves entries alike in their order', () => {
  const twins = [
    entry('b', { selectors: selectors('unix:uid', 'unix:gid') }),
    entry('a', { selectors: selectors('unix:gid', 'unix:uid') }),
  ]
  const sorted = sortEntries(twins)
  expect(sorted.map(({ id }) => id)).toEqual(['b', 'a'])
  expect(sorted[0]?.selectors).toEqual(selectors('unix:gid', 'unix:uid'))
})

test('sorts entries without IDs first', () => {
  const bare = entry('bare', { spiffe_id: null, parent_id: null })
  expect(sortEntries([...IN_ORDER, bare])[0]?.id).toBe('bare')
})
