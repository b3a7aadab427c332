import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Entry } from '../../../server/entries/entry.ts'
import {
  createEntryIndex,
  type EntryIndex,
  type IndexChange,
} from '../../../server/entries/entry-index.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { entry, exampleOrg, idOf, selectorsOf } from './sample-entry.ts'

const agents = ['/spire/agent/a', '/spire/agent/b', '/spire/agent/c'].map(idOf)
const workloads = ['/p', '/q', '/r', '/s'].map(idOf)
const parents = [...agents, ...workloads, idOf('/spire/server')]
const selectors = selectorsOf('t:1', 't:2', 't:3')
const entryIds = ['1', '2', '3', '4', '5', '6', '7']

const someSelectors = (minLength: number) => fc.subarray(selectors, { minLength })

const entryChange = fc
  .record({
    id: fc.constantFrom(...entryIds),
    spiffeId: fc.constantFrom(...workloads),
    parentId: fc.constantFrom(...parents),
    selectors: someSelectors(1),
    admin: fc.boolean(),
    isGone: fc.boolean(),
  })
  .map(
    ({ id, isGone, ...fields }): IndexChange => ({
      kind: 'entry',
      id,
      entry: isGone ? undefined : entry(id, fields),
    }),
  )

const nodeChange = fc.record({
  kind: fc.constant('node' as const),
  id: fc.constantFrom(...agents),
  selectors: fc.option(someSelectors(0), { nil: undefined }),
})

const changes = fc.array(
  fc.oneof({ weight: 3, arbitrary: entryChange }, { weight: 1, arbitrary: nodeChange }),
  { maxLength: 40 },
)

/** The rule of SPIRE's page, word for word and without any index. */
function authorizedByRule(history: readonly IndexChange[], agentId: SpiffeId): readonly string[] {
  const entries = new Map<string, Entry>()
  let nodeSelectors: readonly string[] = []
  for (const change of history) {
    if (change.kind === 'node') {
      if (change.id === agentId) nodeSelectors = change.selectors ?? []
    } else if (change.entry === undefined) entries.delete(change.id)
    else entries.set(change.id, change.entry)
  }
  const isAlias = (one: Entry) => one.parentId === idOf('/spire/server')
  const reached = new Set<SpiffeId>([agentId])
  for (const one of entries.values()) {
    if (isAlias(one) && one.selectors.every((selector) => nodeSelectors.includes(selector))) {
      reached.add(one.spiffeId)
    }
  }
  const found = new Set<string>()
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const one of entries.values()) {
      if (isAlias(one) || !reached.has(one.parentId)) continue
      found.add(one.id)
      reached.add(one.spiffeId)
    }
  }
  return [...found].sort()
}

function readyIndex(): EntryIndex {
  const index = createEntryIndex(exampleOrg)
  index.markReady()
  return index
}

const idsFor = (index: EntryIndex, agentId: SpiffeId) =>
  index
    .authorizedFor(agentId)
    .map(({ id }) => id)
    .sort()

/** What an agent would notice: IDs and which object each is. */
const seenBy = (index: EntryIndex, agentId: SpiffeId) =>
  new Map(index.authorizedFor(agentId).map((one) => [one.id, one]))

test('after any changes, every agent has exactly the entries the rule gives it', () => {
  fc.assert(
    fc.property(changes, (history) => {
      const index = readyIndex()
      for (const change of history) index.apply(change)
      for (const agentId of agents) {
        expect(idsFor(index, agentId)).toEqual(authorizedByRule(history, agentId))
      }
    }),
    { numRuns: 500 },
  )
})

test('asking for one entry agrees with the whole set', () => {
  fc.assert(
    fc.property(changes, (history) => {
      const index = readyIndex()
      for (const change of history) index.apply(change)
      for (const agentId of agents) {
        const single = entryIds.filter((id) => index.entryFor(agentId, id) !== undefined)
        expect(single).toEqual(idsFor(index, agentId))
      }
    }),
    { numRuns: 500 },
  )
})

test('every agent whose entries changed is named by the change', () => {
  fc.assert(
    fc.property(changes, fc.subarray(agents), (history, watched) => {
      const index = readyIndex()
      for (const agentId of watched) index.watch(agentId)
      for (const change of history) {
        const before = new Map(watched.map((agentId) => [agentId, seenBy(index, agentId)]))
        const affected = index.apply(change)
        expect(affected.isSubsetOf(new Set(watched))).toBe(true)
        for (const agentId of watched) {
          if (affected.has(agentId)) continue
          expect(seenBy(index, agentId)).toEqual(before.get(agentId))
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('an index that lived through all changes equals one made from their outcome', () => {
  fc.assert(
    fc.property(changes, (history) => {
      const lived = readyIndex()
      for (const change of history) lived.apply(change)
      const fresh = readyIndex()
      const last = new Map(history.map((change) => [`${change.kind} ${change.id}`, change]))
      for (const change of last.values()) fresh.apply(change)
      expect(new Set(lived.entryIds())).toEqual(new Set(fresh.entryIds()))
      expect(new Set(lived.nodeIds())).toEqual(new Set(fresh.nodeIds()))
      for (const agentId of agents) {
        expect(seenBy(lived, agentId)).toEqual(seenBy(fresh, agentId))
      }
      for (const id of workloads) expect(lived.isAdmin(id)).toBe(fresh.isAdmin(id))
    }),
    { numRuns: 300 },
  )
})
