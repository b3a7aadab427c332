import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { WatchResponseInput } from '../../../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import {
  changeMessages,
  snapshotMessages,
  type View,
  viewOf,
} from '../../../../server/api/sync/watch-messages.ts'
import type { Entry } from '../../../../server/entries/entry.ts'
import { emptyBundle } from '../../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../../spiffe/id.ts'
import { anEntry } from '../../an-entry.ts'

const bundle = (sequenceNumber: number) => ({
  ...emptyBundle(parseTrustDomain('example.org')),
  sequenceNumber,
})

test('the complete state comes in pages; only the last may be used, and it has the bundle', () => {
  const entries = Array.from({ length: 1_001 }, (_, n) => anEntry({ id: `e${n}` }))
  const messages = [...snapshotMessages(viewOf(entries, bundle(7)))]
  expect(messages.map(({ entries }) => entries?.length)).toEqual([500, 500, 1])
  expect(messages.map(({ more }) => more)).toEqual([true, true, false])
  expect(messages.every(({ snapshot }) => snapshot)).toBe(true)
  expect(messages.map(({ bundle }) => bundle?.sequence_number)).toEqual([undefined, undefined, 7])
})

test('an agent without entries is told so, with the bundle', () => {
  expect([...snapshotMessages(viewOf([], bundle(1)))]).toEqual([
    expect.objectContaining({ snapshot: true, more: false, entries: [] }),
  ])
})

test('nothing is told when nothing differs, also when everything was read anew', () => {
  const view = () => viewOf([anEntry({ id: 'a' })], bundle(1))
  expect([...changeMessages(view(), view())]).toEqual([])
})

test('an entry that was deleted and made anew under the same ID is told, whatever its revision', () => {
  const before = viewOf([anEntry({ id: 'a', hint: 'old' })], bundle(1))
  const after = viewOf([anEntry({ id: 'a', hint: 'new' })], bundle(1))
  expect([...changeMessages(before, after)]).toMatchObject([
    { entries: [{ id: 'a', hint: 'new' }] },
  ])
})

test('whoever applies the messages in order ends up with the same view', () => {
  const state = fc.record({
    entries: fc.uniqueArray(
      fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), revisionNumber: fc.nat(3) }),
      { selector: ({ id }) => id },
    ),
    sequence: fc.nat(2),
  })
  const toView = ({ entries, sequence }: { entries: { id: string }[]; sequence: number }): View =>
    viewOf(entries.map(anEntry), bundle(sequence))
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 6 }), (states) => {
      const told = new Map<string, unknown>()
      let sequence: unknown
      const apply = (message: WatchResponseInput) => {
        for (const entry of message.entries ?? []) told.set(entry.id ?? '', entry.revision_number)
        for (const id of message.removed_entry_ids ?? []) told.delete(id)
        sequence = message.bundle?.sequence_number ?? sequence
      }
      let before: View | undefined
      for (const view of states.map(toView)) {
        const messages =
          before === undefined ? snapshotMessages(view) : changeMessages(before, view)
        for (const message of messages) apply(message)
        expect(told).toEqual(
          new Map([...view.entries].map(([id, entry]) => [id, entry.revisionNumber])),
        )
        expect(sequence).toBe(view.bundle.sequenceNumber)
        before = view
      }
    }),
  )
})

const partner = parseTrustDomain('partner.org')
const theirs = (sequenceNumber: number) => ({ ...emptyBundle(partner), sequenceNumber })
const federating = anEntry({ id: 'a', federatesWith: [partner] })
const viewWith = (entries: readonly Entry[], sequence: number | undefined) =>
  viewOf(entries, bundle(1), (name) =>
    name === partner && sequence !== undefined ? theirs(sequence) : undefined,
  )

test('a complete state has the bundles that its entries federate with, before its last message', () => {
  expect([...snapshotMessages(viewWith([federating], 4))]).toMatchObject([
    { more: true, federated_bundles: [{ trust_domain: 'partner.org', sequence_number: 4 }] },
    { more: false, entries: [{ id: 'a' }] },
  ])
})

test('a bundle that no entry of the agent federates with is not told', () => {
  const messages = [...snapshotMessages(viewWith([anEntry({ id: 'a' })], 4))]
  expect(messages).toHaveLength(1)
  const before = viewWith([anEntry({ id: 'a' })], 4)
  expect([...changeMessages(before, viewWith([anEntry({ id: 'a' })], 5))]).toEqual([])
})

test('a federated bundle is told when it changes, and when it is gone', () => {
  const before = viewWith([federating], 4)
  expect([...changeMessages(before, viewWith([federating], 5))]).toMatchObject([
    { federated_bundles: [{ trust_domain: 'partner.org', sequence_number: 5 }], more: false },
  ])
  expect([...changeMessages(before, viewWith([federating], undefined))]).toEqual([
    { removed_federated_bundles: ['partner.org'] },
  ])
})

test('the first entry that federates comes together with the bundle', () => {
  expect([...changeMessages(viewWith([], 4), viewWith([federating], 4))]).toMatchObject([
    { federated_bundles: [{ trust_domain: 'partner.org' }], more: true },
    { entries: [{ id: 'a' }] },
  ])
})
