import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type PolicyKind,
  type PolicyObject,
  readPolicyObject,
} from '../../../policy/cluster-object.ts'
import {
  assemblePolicies,
  isSameInForce,
  MAX_OBJECTS,
  snapshotOf,
  UNREADABLE,
} from '../../../proxy/policy-source/assemble-policies.ts'
import { mesh } from '../mesh.ts'

interface Written {
  readonly kind?: PolicyKind
  readonly namespace?: string
  readonly spec?: unknown
  readonly createdMs?: number
  readonly more?: object
}

function object(name: string, written: Written = {}): PolicyObject {
  const { kind = 'AuthorizationPolicy', namespace = 'shop', spec = {}, createdMs = 0 } = written
  const createdAt = new Date(createdMs)
  const metadata = { name, namespace, creationTimestamp: createdAt.toISOString() }
  const meta = { name, namespace, createdAt }
  return readPolicyObject(kind, 'v1', { metadata, spec, ...written.more }, meta)
}

const broken = (name: string, namespace = 'shop') =>
  object(name, { namespace, spec: { action: 'FORBID', rules: [{}] } })

const namesOf = (objects: readonly PolicyObject[], before = undefined as Before) =>
  snapshotOf(mesh, assemblePolicies(objects, before).inForce).authorizationPolicies.map(
    ({ namespace, name }) => `${namespace}/${name}`,
  )
type Before = Parameters<typeof assemblePolicies>[1]

test('an object that cannot be read keeps the last good policies of its namespace, and of no other', () => {
  const before = assemblePolicies([object('old'), object('a', { namespace: 'pay' })], undefined)
  const now = [broken('old'), object('new'), object('b', { namespace: 'pay' })]
  expect(namesOf(now, before.inForce)).toEqual(['shop/old', 'pay/b'])
  expect(assemblePolicies(now, before.inForce).mistakes).toEqual([
    'AuthorizationPolicy shop/old: spec.action: expected ALLOW, DENY, AUDIT, CUSTOM, found "FORBID"',
  ])
})

test('a namespace that never was good denies everything, until it is', () => {
  const first = assemblePolicies([broken('a'), object('b')], undefined)
  const { authorizationPolicies } = snapshotOf(mesh, first.inForce)
  expect(authorizationPolicies).toMatchObject([
    { namespace: 'shop', name: UNREADABLE, action: { kind: 'DENY' }, dryRun: false },
  ])
  const still = assemblePolicies([broken('a')], first.inForce)
  expect(isSameInForce(first.inForce, still.inForce)).toBe(true)
  expect(namesOf([object('b')], still.inForce)).toEqual(['shop/b'])
})

test('a mistake in a namespace that was known to be empty leaves it empty', () => {
  const empty = assemblePolicies([], undefined)
  expect(namesOf([broken('a')], empty.inForce)).toEqual([])
})

test.each([
  ['a field that nobody knows', { spec: { rulez: [] } }, 'spec.rulez'],
  ['a field beside the spec', { more: { rules: [] } }, 'rules'],
  ['a spec that is no object', { spec: 7 }, 'spec'],
])('%s is a mistake, told with its place', (_, written, field) => {
  const [mistake] = assemblePolicies([object('a', written)], undefined).mistakes
  expect(mistake).toContain(`AuthorizationPolicy shop/a: ${field}: `)
})

test('too many objects change nothing that is in force, and without anything in force deny everything', () => {
  const many = Array.from({ length: MAX_OBJECTS + 1 }, (_, index) => object(`p${index}`))
  expect(namesOf(many)).toEqual([`shop/${UNREADABLE}`])
  const before = assemblePolicies([object('old')], undefined)
  expect(namesOf(many, before.inForce)).toEqual(['shop/old'])
})

test('a namespace with too many objects keeps its last good ones, and no other waits for it', () => {
  const crowd = Array.from({ length: MAX_OBJECTS }, (_, index) => object(`p${index}`))
  const others = [object('deny', { namespace: 'istio-system' }), object('a', { namespace: 'pay' })]
  const before = assemblePolicies([object('old')], undefined).inForce
  const { inForce, mistakes } = assemblePolicies([...crowd, ...others], before)
  const names = snapshotOf(mesh, inForce).authorizationPolicies.map(({ name }) => name)
  expect(names.toSorted()).toEqual(['a', 'deny', 'old'])
  expect(mistakes).toEqual([expect.stringMatching(/^there are 20000 policies in .* shop /)])
})

test('of very many mistakes only some are told', () => {
  const many = Array.from({ length: 1_200 }, (_, index) => broken(`p${index}`))
  const { mistakes } = assemblePolicies(many, undefined)
  expect(mistakes).toHaveLength(1_001)
  expect(mistakes.at(-1)).toMatch(/^and \d+ more$/)
})

test('who writes a status, labels or notes of tools has changed no policy', () => {
  const plain = object('a', { spec: { action: 'DENY' } })
  const noted = readPolicyObject(
    'AuthorizationPolicy',
    'v1',
    {
      metadata: {
        ...{ name: 'a', namespace: 'shop', creationTimestamp: new Date(0).toISOString() },
        ...{ resourceVersion: '7', annotations: { 'kubectl.kubernetes.io/x': '{}' }, labels: {} },
      },
      spec: { action: 'DENY' },
      status: { conditions: [] },
    },
    { name: 'a', namespace: 'shop', createdAt: new Date(0) },
  )
  expect(noted.text).toBe(plain.text)
})

test('a dry run is kept: it is an annotation that means something', () => {
  const dry = readPolicyObject(
    'AuthorizationPolicy',
    'v1beta1',
    { metadata: { annotations: { 'istio.io/dry-run': 'true' } }, spec: {} },
    { name: 'a', namespace: 'shop', createdAt: undefined },
  )
  expect(dry.read?.policy).toMatchObject({ dryRun: true })
})

test('property: the snapshot does not depend on the order in which objects were seen', () => {
  const objects = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      namespace: fc.constantFrom('shop', 'pay', 'istio-system'),
      createdMs: fc.integer({ min: 0, max: 3 }),
      isBroken: fc.boolean(),
    }),
    { selector: ({ name, namespace }) => `${namespace}/${name}`, maxLength: 12 },
  )
  const made = (
    all: readonly { name: string; namespace: string; createdMs: number; isBroken: boolean }[],
  ) =>
    all.map(({ name, isBroken, ...rest }) =>
      object(name, { ...rest, spec: isBroken ? { action: 'FORBID', rules: [{}] } : {} }),
    )
  fc.assert(
    fc.property(objects, fc.integer(), (all, seed) => {
      const mixed = all.toSorted((a, b) => hash(a.name, seed) - hash(b.name, seed))
      const [one, other] = [
        assemblePolicies(made(all), undefined),
        assemblePolicies(made(mixed), undefined),
      ]
      expect(isSameInForce(one.inForce, other.inForce)).toBe(true)
      expect(one.mistakes.toSorted()).toEqual(other.mistakes.toSorted())
    }),
  )
})

const hash = (text: string, seed: number) => ((text.charCodeAt(0) * 2_654_435_761) ^ seed) % 97

test('property: whatever stands in an object, reading it gives a policy or says what is wrong', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom<PolicyKind>(
        'PeerAuthentication',
        'RequestAuthentication',
        'AuthorizationPolicy',
      ),
      (spec, kind) => {
        const read = object('a', { kind, spec })
        expect(read.read === undefined).toBe(read.faults.length > 0)
      },
    ),
  )
})
