/** The plan: it ends where the cluster is, and never asks for anything about entries that are not the controller's. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  asDeclared,
  type Declared,
  keyOf,
  plan,
  type Step,
} from '../../../server/controller/plan.ts'
import type { Entry, EntryFields } from '../../../server/entries/entry.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { parseSelector } from '../../../spiffe/selector.ts'

const fields = (path: string, changed: Partial<EntryFields> = {}): EntryFields => ({
  spiffeId: parseSpiffeId(`spiffe://example.org/${path}`),
  parentId: parseSpiffeId('spiffe://example.org/spire/agent/k8s_psat/a/b'),
  selectors: [parseSelector('k8s:pod-uid:1'), parseSelector('k8s:ns:a')],
  ...{ x509SvidTtlSeconds: 0, jwtSvidTtlSeconds: 0, federatesWith: [], admin: false },
  ...{ downstream: false, expiresAt: undefined, dnsNames: [], storeSvid: false, hint: '' },
  ...{ disableX509SvidPrefetch: false, jwtSvidIncludeJti: false },
  ...changed,
})

const declared = (
  path: string,
  uid = 'u1',
  more: Partial<EntryFields> = {},
  createdAt = 1,
): Declared => ({
  source: { uid, createdAt: new Date(createdAt), deletedAt: undefined },
  fields: fields(path, more),
})

const entry = (
  id: string,
  path: string,
  more: Partial<EntryFields> = {},
  createdAt = 1,
): Entry => ({
  ...fields(path, more),
  ...{ id, revisionNumber: 0, createdAt: new Date(createdAt) },
})

const shown = (steps: readonly Step[]) =>
  steps.map((step) =>
    step.kind === 'create' ? `create ${step.declared.source.uid}` : `${step.kind} ${step.id}`,
  )

describe('what is to be done', () => {
  test.for([
    ['nothing for nothing', [], [], []],
    ['creates what is missing', [declared('a')], [], ['create u1']],
    ['leaves what is as declared', [declared('a')], [entry('e', 'a')], []],
    ['removes what nobody declares', [], [entry('e', 'a')], ['remove e']],
    ['updates what differs', [declared('a', 'u1', { hint: 'x' })], [entry('e', 'a')], ['update e']],
    [
      'sees the order of DNS names',
      [declared('a', 'u1', { dnsNames: ['a', 'b'] })],
      [entry('e', 'a', { dnsNames: ['b', 'a'] })],
      ['update e'],
    ],
    [
      'not that of selectors',
      [declared('a', 'u1', { selectors: fields('a').selectors.toReversed() })],
      [entry('e', 'a')],
      [],
    ],
    [
      'keeps the oldest of two',
      [declared('a')],
      [entry('f', 'a', {}, 2), entry('e', 'a', {}, 1)],
      ['remove f'],
    ],
    [
      'lets the oldest object win',
      [declared('a', 'u2', { hint: 'x' }, 2), declared('a', 'u1', {}, 1)],
      [entry('e', 'a')],
      [],
    ],
    [
      'leaves what only an operator can set',
      [declared('a')],
      [entry('e', 'a', { expiresAt: new Date(5), jwtSvidIncludeJti: true })],
      [],
    ],
  ] as const)('%s', ([, wanted, owned, steps]) => {
    expect(shown(plan(wanted, owned))).toEqual(steps)
  })
  test('an object that is being deleted comes after the others', () => {
    const going = declared('a', 'u1', { hint: 'going' })
    const gone = { ...going, source: { ...going.source, deletedAt: new Date(9) } }
    const [step] = plan([gone, declared('a', 'u2', { hint: 'stays' })], [])
    expect(step).toMatchObject({ kind: 'create', declared: { source: { uid: 'u2' } } })
  })
})

const path = fc.constantFrom('a', 'b', 'c', 'd')
const change = fc.record({
  hint: fc.constantFrom('', 'x'),
  x509SvidTtlSeconds: fc.constantFrom(0, 60),
  federatesWith: fc.constantFrom([], [parseTrustDomain('other.test')]),
  dnsNames: fc.constantFrom([], ['a'], ['b', 'a']),
})
const anyDeclared = fc
  .tuple(path, fc.constantFrom('u1', 'u2', 'u3'), change, fc.nat(2))
  .map(([one, uid, more, at]) => declared(one, uid, more, at))
const anyEntries = fc
  .array(fc.tuple(path, change, fc.nat(2)), { maxLength: 12 })
  .map((all) => all.map(([one, more, at], index) => entry(`ours.${index}`, one, more, at)))

function apply(steps: readonly Step[], owned: readonly Entry[]): readonly Entry[] {
  const left = new Map(owned.map((one) => [one.id, one]))
  for (const [at, step] of steps.entries()) {
    if (step.kind === 'remove') left.delete(step.id)
    if (step.kind === 'create') {
      const id = `ours.new-${at}`
      left.set(id, { ...step.declared.fields, id, revisionNumber: 0, createdAt: new Date(99) })
    }
    const current = step.kind === 'update' ? left.get(step.id) : undefined
    if (current !== undefined && step.kind === 'update') {
      left.set(current.id, { ...current, ...asDeclared(current, step.declared.fields) })
    }
  }
  return [...left.values()]
}

test('carried out, nothing is left to do, and each declared key has one entry', () => {
  fc.assert(
    fc.property(fc.array(anyDeclared, { maxLength: 12 }), anyEntries, (wanted, owned) => {
      const after = apply(plan(wanted, owned), owned)
      expect(plan(wanted, after)).toEqual([])
      const keys = new Set(wanted.map((one) => keyOf(one.fields)))
      expect(after.map(keyOf).sort()).toEqual([...keys].sort())
    }),
  )
})

test('only entries that it was given are ever updated or removed', () => {
  fc.assert(
    fc.property(fc.array(anyDeclared, { maxLength: 12 }), anyEntries, (wanted, owned) => {
      const given = new Set(owned.map(({ id }) => id))
      for (const step of plan(wanted, owned)) {
        if (step.kind !== 'create') expect(given.has(step.id)).toBe(true)
      }
    }),
  )
})
