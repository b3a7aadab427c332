/** What is planned for declared entries, judged by a small server that keeps the rules of the real ones. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Declaration,
  owns,
  parseDeclaration,
  similarityOf,
} from '../../../../cli/server/entry/declaration.ts'
import { EMPTY_ENTRY } from '../../../../cli/server/entry/entry-flags.ts'
import { isDone, type Plan, planEntries, stepsOf } from '../../../../cli/server/entry/plan.ts'
import type { Entry } from '../../../../proto/gen/spire/api/types/Entry.ts'

const PRUNE = { prune: true }
const KEEP = { prune: false }

const entry = (id: string, uid: number, more: Partial<Entry> = {}): Entry => ({
  ...EMPTY_ENTRY,
  id,
  spiffe_id: { trust_domain: 'example.org', path: '/w' },
  parent_id: { trust_domain: 'example.org', path: '/p' },
  selectors: [{ type: 'unix', value: `uid:${uid}` }],
  ...more,
})

const written = (uid: number, more: object = {}) => ({
  spiffe_id: 'spiffe://example.org/w',
  parent_id: 'spiffe://example.org/p',
  selectors: [{ type: 'unix', value: `uid:${uid}` }],
  ...more,
})

const declare = (...entries: readonly object[]): Declaration =>
  parseDeclaration({ owner: 'shop', entries })

/** Refuses what real servers refuse: an ID twice, a similar entry, an entry that is not there. */
function execute(plan: Plan, existing: readonly Entry[]): readonly Entry[] {
  const entries = new Map(existing.map((one) => [one.id, one]))
  for (const { kind, entries: batch } of stepsOf(plan)) {
    for (const one of batch) {
      const isSimilar = [...entries.values()].some((old) => similarityOf(old) === similarityOf(one))
      if (kind === 'create') expect([entries.has(one.id), isSimilar]).toEqual([false, false])
      else expect(entries.has(one.id)).toBe(true)
      if (kind === 'delete') entries.delete(one.id)
      else entries.set(one.id, one)
    }
  }
  return [...entries.values()]
}

const kinds = (plan: Plan) => ({
  create: plan.create.length,
  update: plan.update.map(({ changes }) => changes.map(({ field }) => field)),
  delete: plan.delete.map(({ id }) => id),
  conflicts: plan.conflicts.map(({ existing }) => existing.id),
  unchanged: plan.unchanged.length,
  kept: plan.kept.map(({ id }) => id),
})
const nothing = { create: 0, update: [], delete: [], conflicts: [], unchanged: 0, kept: [] }

test.for([
  ['creates what is not there', [written(1)], [], { create: 1 }],
  [
    'leaves alone what is as it was declared, whatever its revision and age',
    [written(1, { entry_id: 'shop.a' })],
    [entry('shop.a', 1, { revision_number: 7, created_at: 1, additional_attributes: null })],
    { unchanged: 1 },
  ],
  [
    'changes the fields that differ, and names them',
    [written(1, { entry_id: 'shop.a', hint: 'x', dns_names: ['b', 'a'] })],
    [entry('shop.a', 1, { jwt_svid_ttl: 5, dns_names: ['a', 'b'] })],
    { update: [['jwt_svid_ttl', 'dns_names', 'hint']] },
  ],
  [
    'does not care for the order of selectors or of trust domains',
    [
      written(1, {
        entry_id: 'shop.a',
        selectors: [
          { type: 'b', value: '1' },
          { type: 'a', value: '1' },
          { type: 'b', value: '1' },
        ],
        federates_with: ['y.org', 'spiffe://x.org'],
      }),
    ],
    [
      entry('shop.a', 1, {
        selectors: [
          { type: 'a', value: '1' },
          { type: 'b', value: '1' },
        ],
        federates_with: ['x.org', 'y.org'],
      }),
    ],
    { unchanged: 1 },
  ],
  [
    'finds an entry without a chosen ID again by what it says, whatever its ID',
    [written(1, { hint: 'x' })],
    [entry('shop.old', 1)],
    { update: [['hint']] },
  ],
  ['keeps what the file does not name', [], [entry('shop.a', 1)], { kept: ['shop.a'] }],
  [
    'has a conflict with a similar entry of somebody else',
    [written(1)],
    [entry('theirs', 1)],
    { conflicts: ['theirs'] },
  ],
  [
    'has a conflict with a similar entry whose ID merely begins like the owner',
    [written(1)],
    [entry('shopkeeper.a', 1)],
    { conflicts: ['shopkeeper.a'] },
  ],
  [
    'has a conflict when a change would make an entry similar to that of somebody else',
    [written(2, { entry_id: 'shop.a' })],
    [entry('shop.a', 1), entry('theirs', 2)],
    { conflicts: ['theirs'] },
  ],
  [
    'has a conflict when an ID was chosen for what another entry of the owner already is',
    [written(1, { entry_id: 'shop.b' })],
    [entry('shop.a', 1)],
    { conflicts: ['shop.a'], kept: ['shop.a'] },
  ],
  [
    'leaves an entry beside a similar one that a server once let in',
    [written(1, { entry_id: 'shop.a' })],
    [entry('shop.a', 1), entry('theirs', 1)],
    { unchanged: 1 },
  ],
] as const)('without pruning, %s', ([, entries, existing, expected]) => {
  const plan = planEntries(declare(...entries), existing, KEEP)
  expect(kinds(plan)).toEqual({ ...nothing, ...expected })
})

test.for([
  ['deletes what the file does not name', [], [entry('shop.a', 1)], { delete: ['shop.a'] }],
  [
    'replaces an entry for which another ID was chosen',
    [written(1, { entry_id: 'shop.b' })],
    [entry('shop.a', 1)],
    { create: 1, delete: ['shop.a'] },
  ],
  [
    'deletes nothing of anybody else',
    [],
    [entry('a', 1), entry('shop', 2), entry('shop-2.a', 3), entry('SHOP.a', 4), entry('', 5)],
    {},
  ],
] as const)('with pruning, %s', ([, entries, existing, expected]) => {
  const plan = planEntries(declare(...entries), existing, PRUNE)
  expect(kinds(plan)).toEqual({ ...nothing, ...expected })
})

test('makes room first, and deletes last what is in nobody’s way', () => {
  const existing = [entry('shop.a', 1), entry('shop.z', 9)]
  const plan = planEntries(declare(written(1, { entry_id: 'shop.b' })), existing, PRUNE)
  const steps = stepsOf(plan).map(({ kind, entries }) => [kind, entries.map(({ id }) => id)])
  expect(steps).toEqual([
    ['delete', ['shop.a']],
    ['create', ['shop.b']],
    ['delete', ['shop.z']],
  ])
})

const uid = fc.integer({ min: 0, max: 5 })
const name = fc.constantFrom('a', 'b', 'c')
const ttl = fc.constantFrom(0, 60)
const declaredEntry = fc.record({ uid, ttl, name: fc.option(name, { nil: undefined }) })
const declaration = fc
  .uniqueArray(declaredEntry, {
    selector: ({ uid, name }) => `${uid} ${name}`,
    maxLength: 6,
  })
  .filter(
    (entries) =>
      new Set(entries.map((one) => one.uid)).size === entries.length &&
      new Set(entries.flatMap((one) => one.name ?? [])).size ===
        entries.filter((one) => one.name !== undefined).length,
  )
  .map((entries) =>
    declare(
      ...entries.map(({ uid, ttl, name }) =>
        written(uid, {
          x509_svid_ttl: ttl,
          ...(name !== undefined && { entry_id: `shop.${name}` }),
        }),
      ),
    ),
  )
/** Some of them similar, as updates may have left them. */
const existing = fc
  .uniqueArray(
    fc.record({
      id: fc.oneof(
        name.map((one) => `shop.${one}`),
        uid.map((one) => declare(written(one)).entries[0]?.entry.id ?? ''),
        fc.constantFrom('theirs', 'shopkeeper', 'other.a', 'shop', '1'),
      ),
      uid,
      ttl,
    }),
    { selector: ({ id }) => id, maxLength: 8 },
  )
  .map((entries) => entries.map(({ id, uid, ttl }) => entry(id, uid, { x509_svid_ttl: ttl })))

test('whatever was there, a plan without conflicts is done by a server and leaves nothing to do', () => {
  fc.assert(
    fc.property(declaration, existing, fc.boolean(), (wanted, there, prune) => {
      const plan = planEntries(wanted, there, { prune })
      fc.pre(plan.conflicts.length === 0)
      const after = execute(plan, there)
      const again = planEntries(wanted, after, { prune })
      expect(isDone(again)).toBe(true)
      expect(again.unchanged.length).toBe(wanted.entries.length)
      if (prune) {
        expect(after.filter((one) => owns(wanted.owner, one)).length).toBe(wanted.entries.length)
      }
    }),
    { numRuns: 2000 },
  )
})

test('whatever was there, nothing of anybody else is ever changed or deleted', () => {
  fc.assert(
    fc.property(declaration, existing, fc.boolean(), (wanted, there, prune) => {
      const plan = planEntries(wanted, there, { prune })
      for (const { kind, entries } of stepsOf(plan)) {
        for (const one of entries) expect(owns(wanted.owner, one), `${kind} ${one.id}`).toBe(true)
      }
      if (!prune) expect(plan.delete).toEqual([])
      const accounted = [...plan.create, ...plan.unchanged, ...plan.update, ...plan.conflicts]
      expect(accounted.length).toBe(wanted.entries.length)
    }),
    { numRuns: 2000 },
  )
})
