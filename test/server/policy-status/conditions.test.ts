import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PolicyKind, readPolicyObject } from '../../../policy/cluster-object.ts'
import { conditionsOf, statusEdit } from '../../../server/policy-status/conditions.ts'
import { judgePolicies, MAX_LINTED } from '../../../server/policy-status/judge-policies.ts'
import { mesh } from '../../proxy/mesh.ts'

const NOW = new Date('2026-01-01T00:00:00Z')
const LATER = new Date('2026-01-02T00:00:00Z')

function judged(name: string, spec: unknown, kind: PolicyKind = 'AuthorizationPolicy') {
  const meta = { namespace: 'shop', name, createdAt: NOW }
  return { policy: readPolicyObject(kind, 'v1', { spec }, meta), generation: 3 }
}

const judge = (...objects: ReturnType<typeof judged>[]) =>
  judgePolicies(objects, mesh).map(([, conditions]) => conditions)

const GOOD = { rules: [{ from: [{ source: { namespaces: ['shop'] } }] }] }
const BAD = { rules: [{ from: [{ source: { ipBlocks: ['10.0.0.0/99'] } }] }] }

test('a policy without a mistake is accepted, and nothing is found in it', () => {
  expect(judge(judged('a', GOOD))).toMatchObject([
    [
      { type: 'Accepted', status: 'True', observedGeneration: 3 },
      { type: 'LintPassed', status: 'True', reason: 'NothingFound', message: '' },
    ],
  ])
})

test('a policy that is refused says why, at which field, and that what was enforced stays', () => {
  const [[accepted, linted] = []] = judge(judged('a', BAD))
  expect(accepted).toMatchObject({ type: 'Accepted', status: 'False', reason: 'Invalid' })
  expect(accepted?.message).toMatch(
    /^not enforced; proxies keep the last good policies of the namespace, .* there: spec\.rules\[0\]\.from\[0\]\.source\.ipBlocks: /,
  )
  expect(linted).toMatchObject({ type: 'LintPassed', status: 'Unknown' })
})

test('what looks right and matches nothing is told with what to write instead', () => {
  const source = { principals: ['spiffe://example.org/ns/shop/sa/web'] }
  const [[accepted, linted] = []] = judge(judged('a', { rules: [{ from: [{ source }] }] }))
  expect(accepted?.status).toBe('True')
  expect(linted).toMatchObject({ status: 'False', reason: 'FindingsExist' })
  expect(linted?.message).toMatch(/principal-scheme at spec\.rules\[0\]/)
})

test('of two modes for one namespace the younger is told that it is overruled', () => {
  const strict = judged('a', { mtls: { mode: 'STRICT' } }, 'PeerAuthentication')
  const other = judged('b', { mtls: { mode: 'PERMISSIVE' } }, 'PeerAuthentication')
  const [first, second] = judge(strict, other)
  expect(first?.[1]).toMatchObject({ status: 'True' })
  expect(second?.[1]?.message).toMatch(/peer-authentication-overruled/)
})

test('what says the same already is not written again, and a new generation is', () => {
  const [wanted = []] = judge(judged('a', GOOD))
  const first = statusEdit({}, wanted, NOW)
  expect(first).toMatchObject({ observedGeneration: 3 })
  expect(statusEdit(first, wanted, LATER)).toBeUndefined()
  const next = wanted.map((one) => ({ ...one, observedGeneration: 4 }))
  const second = statusEdit(first, next, LATER)
  expect(second?.conditions).toMatchObject([
    { observedGeneration: 4, lastTransitionTime: NOW.toISOString() },
    { observedGeneration: 4, lastTransitionTime: NOW.toISOString() },
  ])
})

test('conditions of others stay, and a condition that turns gets the time of it', () => {
  const [good = [], bad = []] = judge(judged('a', GOOD), judged('b', BAD))
  const others = [{ type: 'ZtunnelAccepted', status: 'True', message: 'theirs' }, 7, null]
  const first = statusEdit({ conditions: others }, good, NOW)
  expect(first?.conditions.slice(0, 3)).toEqual(others)
  const second = statusEdit(first, bad, LATER)
  expect(second?.conditions).toMatchObject([
    ...others,
    { type: 'Accepted', status: 'False', lastTransitionTime: LATER.toISOString() },
    { type: 'LintPassed', status: 'Unknown', lastTransitionTime: LATER.toISOString() },
  ])
})

test('a number that the API server keeps as text is the same number', () => {
  const [wanted = []] = judge(judged('a', GOOD))
  const conditions = wanted.map((one) => ({ ...one, observedGeneration: '3' }))
  expect(statusEdit({ conditions }, wanted, NOW)).toBeUndefined()
})

test.each([
  ['an object that refuses to be a number', { valueOf: 1, toString: 1 }],
  ['a list', [3]],
  ['a truth', true],
])('a number that is %s is none, and is written anew', (_, observedGeneration) => {
  const [wanted = []] = judge(judged('a', GOOD))
  const conditions = wanted.map((one) => ({ ...one, observedGeneration }))
  expect(statusEdit({ conditions }, wanted, NOW)).toMatchObject({ observedGeneration: 3 })
})

test('a namespace with more policies than can be compared keeps no other from being looked at', () => {
  const twins = (namespace: string, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const { policy } = judged(`p${index}`, GOOD)
      return { policy: { ...policy, namespace }, generation: 3 }
    })
  const bad = judged('bad', BAD)
  const crowd = [...twins('shop', MAX_LINTED), bad]
  const told = judgePolicies([...crowd, ...twins('pay', MAX_LINTED)], mesh)
  const linted = told.map(([, [accepted, lint]]) => [accepted?.status, lint?.reason])
  expect(linted.slice(0, MAX_LINTED)).toEqual(twins('', MAX_LINTED).map(() => ['True', 'TooMany']))
  expect(linted[MAX_LINTED]).toEqual(['False', 'NotAccepted'])
  expect(linted.slice(MAX_LINTED + 1)).not.toContainEqual(['True', 'TooMany'])
})

test('messages are bounded, however many mistakes there are', () => {
  const ipBlocks = Array.from({ length: 500 }, (_, index) => `${'9'.repeat(100)}.${index}`)
  const rules = Array.from({ length: 100 }, () => ({ from: [{ source: { ipBlocks } }] }))
  const [[accepted] = []] = judge(judged('a', { rules }))
  expect(accepted?.message.length).toBeLessThan(4_300)
})

test('property: whatever the status holds, writing it once is enough', () => {
  const wanted = conditionsOf({ faults: [], warnings: [] }, [], 1)
  fc.assert(
    fc.property(fc.jsonValue(), (present) => {
      const edit = statusEdit(present, wanted, NOW)
      if (edit !== undefined) expect(statusEdit(edit, wanted, LATER)).toBeUndefined()
    }),
  )
})
