/** The contract of filters: the database answers exactly what the pure filters say. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NewEntry } from '../../../server/entries/entry.ts'
import { type EntryFilter, matchesFilter } from '../../../server/entries/filter.ts'
import type { MatchBehavior } from '../../../server/entries/set-match.ts'
import { matchesNodeFilter, type NodeFilter } from '../../../server/nodes/filter.ts'
import { eachPage, type Page, type PageRequest } from '../../../server/store/page.ts'
import type { Attestation } from '../../../server/store/store.ts'
import { idOf, newEntry, selectorsOf } from '../entries/sample-entry.ts'
import { bundle, partner, vendor } from './sample-bundle.ts'
import type { StoreUnderTest } from './store-under-test.ts'

const behaviors: readonly MatchBehavior[] = ['exact', 'subset', 'superset', 'any']
const selectors = selectorsOf('t:1', 't:2', 't:3', 'T:1')
const trustDomains = [partner, vendor]
const ids = ['/a', '/b', '/A'].map(idOf)
const hints = ['', 'internal', 'Internal', "it's", '%', '?', '$1']

const optional = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.option(arbitrary, { nil: undefined, freq: 2 })

const matchOf = <T>(values: readonly T[]) =>
  fc.record({
    match: fc.constantFrom(...behaviors),
    values: fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 4 }),
  })

const someEntry = fc.record({
  spiffeId: fc.constantFrom(...ids),
  parentId: fc.constantFrom(...ids),
  selectors: fc.subarray(selectors, { minLength: 1 }),
  federatesWith: fc.subarray(trustDomains),
  hint: fc.constantFrom(...hints),
  downstream: fc.boolean(),
})

const entryFilter: fc.Arbitrary<EntryFilter> = fc.record({
  spiffeId: optional(fc.constantFrom(...ids)),
  parentId: optional(fc.constantFrom(...ids)),
  selectors: optional(matchOf(selectors)),
  federatesWith: optional(matchOf(trustDomains)),
  hint: optional(fc.constantFrom(...hints)),
  downstream: optional(fc.boolean()),
})

const moments = ['2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z', '2030-01-02T00:00:00.5Z'].map(
  (text) => new Date(text),
)

const someNode = fc.record({
  attestationType: fc.constantFrom('join_token', 'x509pop'),
  serialNumber: fc.constantFrom('1', '2'),
  expiresAt: fc.constantFrom(...moments.slice(0, 2)),
  canReattest: fc.boolean(),
  selectors: fc.subarray(selectors),
  isBanned: fc.boolean(),
})

const nodeFilter: fc.Arbitrary<NodeFilter> = fc.record({
  attestationType: optional(fc.constantFrom('join_token', 'x509pop', '')),
  selectors: optional(matchOf(selectors)),
  banned: optional(fc.boolean()),
  canReattest: optional(fc.boolean()),
  expiresBefore: optional(fc.constantFrom(...moments)),
})

async function all<T>(readPage: (request: PageRequest) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const page of eachPage(readPage, 2)) items.push(...page)
  return items
}

export function filterContract(underTest: () => StoreUnderTest): void {
  test('entries are listed and counted as the pure filter says', async () => {
    const { entries, bundles } = underTest().store
    for (const trustDomain of trustDomains) {
      await bundles.update(trustDomain, () => bundle(trustDomain))
    }
    const [drafts] = fc.sample(fc.array(someEntry, { minLength: 60, maxLength: 60 }), 1)
    await entries.create((drafts ?? []).map((fields): NewEntry => newEntry(fields)))
    const everything = await all((page) => entries.list({}, page))
    expect(everything.length).toBeGreaterThan(20)
    const sizes = new Set<number>()
    await fc.assert(
      fc.asyncProperty(entryFilter, async (filter) => {
        const expected = everything.filter((entry) => matchesFilter(entry, filter))
        sizes.add(expected.length)
        expect(await all((page) => entries.list(filter, page))).toEqual(expected)
        expect(await entries.count(filter)).toBe(expected.length)
      }),
      { numRuns: 300 },
    )
    // the filters asked were of all kinds, from none to narrow
    expect(sizes.size).toBeGreaterThan(5)
  })

  test('nodes are listed and counted as the pure filter says', async () => {
    const { nodes } = underTest().store
    const [drafts] = fc.sample(fc.array(someNode, { minLength: 40, maxLength: 40 }), 1)
    for (const [i, { isBanned, ...fields }] of (drafts ?? []).entries()) {
      const attestation: Attestation = { id: idOf(`/spire/agent/n/${i}`), ...fields }
      await nodes.attest(attestation)
      if (isBanned) await nodes.ban(attestation.id)
    }
    const everything = await all((page) => nodes.list({}, page))
    expect(everything).toHaveLength(40)
    const sizes = new Set<number>()
    await fc.assert(
      fc.asyncProperty(nodeFilter, async (filter) => {
        const expected = everything.filter((node) => matchesNodeFilter(node, filter))
        sizes.add(expected.length)
        expect(await all((page) => nodes.list(filter, page))).toEqual(expected)
        expect(await nodes.count(filter)).toBe(expected.length)
      }),
      { numRuns: 300 },
    )
    // the filters asked were of all kinds, from none to narrow
    expect(sizes.size).toBeGreaterThan(5)
  })

  test.for([...behaviors])('an empty set to be matched by %s is refused', async (match) => {
    const { entries, nodes } = underTest().store
    const empty = { selectors: { match, values: [] } }
    const refusal = expect.objectContaining({ code: 'REQUEST_INVALID' })
    await expect(entries.list(empty, { size: 1, token: '' })).rejects.toThrow(refusal)
    await expect(entries.count(empty)).rejects.toThrow(refusal)
    await expect(nodes.count(empty)).rejects.toThrow(refusal)
    await expect(entries.count({ federatesWith: { match, values: [] } })).rejects.toThrow(refusal)
  })

  test('a filter of more values than any entry can have is refused', async () => {
    const values = selectorsOf(...Array.from({ length: 1001 }, (_, i) => `t:${i}`))
    const counting = underTest().store.entries.count({ selectors: { match: 'any', values } })
    await expect(counting).rejects.toThrow(/filter names 1001 values, at most 1000/)
  })

  test('a filter of as many values as an entry can have is answered', async () => {
    const values = selectorsOf(...Array.from({ length: 1000 }, (_, i) => `t:${i}`))
    const { entries } = underTest().store
    await entries.create([newEntry({ selectors: values })])
    expect(await entries.count({ selectors: { match: 'exact', values } })).toBe(1)
  })
}
