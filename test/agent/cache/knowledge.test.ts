import { expect, test } from 'vitest'
import {
  apply,
  type Knowledge,
  knowingOnly,
  type Update,
  withAuthorities,
} from '../../../agent/cache/knowledge.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'

const own = parseTrustDomain('example.org')
const partner = parseTrustDomain('partner.org')
const other = parseTrustDomain('other.org')
const bundleOf = (name: typeof own, sequenceNumber = 1): Bundle => ({
  ...emptyBundle(name),
  sequenceNumber,
})
const nothing = { bundle: undefined, federated: undefined }
const snapshot = (...ids: readonly string[]): Update => ({
  kind: 'snapshot',
  entries: ids.map((id) => cachedEntry(id)),
  ...nothing,
})
const after = (...updates: readonly Update[]): Knowledge =>
  updates.reduce((known, update) => apply(known, update).knowledge, knowingOnly(bundleOf(own)))
const idsOf = ({ entries }: Knowledge) => [...entries.keys()]

test('a complete state replaces all that was known', () => {
  const { knowledge, changedEntryIds } = apply(after(snapshot('a', 'b')), snapshot('b', 'c'))
  expect(idsOf(knowledge)).toEqual(['b', 'c'])
  expect([...changedEntryIds].sort()).toEqual(['a', 'c'])
})

test('an empty complete state leaves nothing', () => {
  expect(idsOf(after(snapshot('a'), snapshot()))).toEqual([])
})

test('changes add, replace and remove, and leave the rest', () => {
  const update: Update = {
    kind: 'changes',
    entries: [cachedEntry('b', { revision: 1 }), cachedEntry('c')],
    removedEntryIds: ['a', 'unknown'],
    ...nothing,
  }
  const { knowledge, changedEntryIds } = apply(after(snapshot('a', 'b', 'd')), update)
  expect(idsOf(knowledge).sort()).toEqual(['b', 'c', 'd'])
  expect(knowledge.entries.get('b')?.revision).toBe(1)
  expect([...changedEntryIds].sort()).toEqual(['a', 'b', 'c'])
})

test('what is told again is no news, and stays the same object', () => {
  const before = after(snapshot('a'))
  const bundle = bundleOf(own)
  const { knowledge, changedEntryIds, bundlesChanged } = apply(before, {
    ...snapshot('a'),
    bundle,
  })
  expect(changedEntryIds.size).toBe(0)
  expect(bundlesChanged).toBe(false)
  expect(knowledge.entries.get('a')).toBe(before.entries.get('a'))
  expect(knowledge.bundle).toBe(before.bundle)
})

test('a new bundle is news; an absent one leaves the old', () => {
  const bundle = bundleOf(own, 2)
  const { knowledge, bundlesChanged } = apply(after(snapshot('a')), { ...snapshot('a'), bundle })
  expect(bundlesChanged).toBe(true)
  expect(apply(knowledge, snapshot('a')).knowledge.bundle).toBe(bundle)
})

const federating: Update = {
  kind: 'snapshot',
  entries: [cachedEntry('a', { federatesWith: [partner] })],
  bundle: undefined,
  federated: new Map([
    [partner, bundleOf(partner)],
    [other, bundleOf(other)],
  ]),
}

test('a federated bundle is held only while some entry federates with its trust domain', () => {
  const known = after(federating)
  expect([...known.federated.keys()]).toEqual([partner])
  const { knowledge, bundlesChanged } = apply(known, snapshot('a'))
  expect(knowledge.federated.size).toBe(0)
  expect(bundlesChanged).toBe(true)
})

test('bundles alone replace each other and leave the entries', () => {
  const known = after(federating)
  const newer = new Map([[partner, bundleOf(partner, 2)]])
  const update: Update = { kind: 'bundles', bundle: undefined, federated: newer }
  const { knowledge, changedEntryIds, bundlesChanged } = apply(known, update)
  expect(knowledge.federated.get(partner)?.sequenceNumber).toBe(2)
  expect(knowledge.entries).toBe(known.entries)
  expect([changedEntryIds.size, bundlesChanged]).toEqual([0, true])
  const gone = apply(known, { kind: 'bundles', bundle: undefined, federated: new Map() })
  expect(gone.knowledge.federated.size).toBe(0)
})

test('equal federated bundles are no news', () => {
  const known = after(federating)
  const update: Update = {
    kind: 'bundles',
    bundle: bundleOf(own),
    federated: new Map([[partner, bundleOf(partner)]]),
  }
  const { knowledge, bundlesChanged } = apply(known, update)
  expect(bundlesChanged).toBe(false)
  expect(knowledge.federated).toBe(known.federated)
})

const authority = (text: string) => ({ der: Buffer.from(text), tainted: false })

test('a cached bundle is used when it has the authorities that the agent trusts', () => {
  const trusted = { ...bundleOf(own), x509Authorities: [authority('a'), authority('b')] }
  const x509Authorities = [{ ...authority('b'), tainted: true }, authority('a')]
  const cached = { ...bundleOf(own, 9), x509Authorities }
  expect(withAuthorities(cached, trusted)).toBe(cached)
})

test.for([[[]], [['a']], [['a', 'c']], [['a', 'b', 'c']]])(
  'a cached bundle with the authorities %s gives way to those that the agent trusts',
  ([texts]) => {
    const trusted = { ...bundleOf(own), x509Authorities: [authority('a'), authority('b')] }
    const cached = { ...bundleOf(own, 9), x509Authorities: (texts ?? []).map(authority) }
    const { x509Authorities, sequenceNumber } = withAuthorities(cached, trusted)
    expect(x509Authorities).toBe(trusted.x509Authorities)
    expect(sequenceNumber).toBe(9)
  },
)
