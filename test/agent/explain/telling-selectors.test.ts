import fc from 'fast-check'
import { expect, test } from 'vitest'
import { proposeId, tellingSelectors } from '../../../agent/explain/telling-selectors.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { parseSelector } from '../../../spiffe/selector.ts'

const domain = parseTrustDomain('example.org')
const set = (texts: readonly string[]) => new Set(texts.map(parseSelector))

const POD = ['unix:uid:0', 'k8s:pod-name:cart-1', 'k8s:sa:cart', 'k8s:ns:shop']
const PROGRAM = ['unix:uid:1000', 'unix:user:jane', 'unix:path:/usr/bin/my app']

test.for([
  ['a pod by namespace and service account', POD, ['k8s:ns:shop', 'k8s:sa:cart']],
  ['a program by its user and its path', PROGRAM, ['unix:uid:1000', 'unix:path:/usr/bin/my app']],
  ['a bare process by its user', ['unix:gid:0', 'unix:uid:0'], ['unix:uid:0']],
  ['half a pod by what else is known', ['k8s:ns:shop', 'unix:uid:0'], ['unix:uid:0']],
  ['what is like nothing else by its first fact', ['slurm:job_id:7'], ['slurm:job_id:7']],
  ['nothing by nothing', [], []],
])('tells %s', ([, present, telling]) => {
  expect(tellingSelectors(set(present as string[]))).toEqual(telling)
})

test.for([
  [POD, '/ns/shop/sa/cart'],
  [PROGRAM, '/workload/my-app'],
  [['unix:user:jane'], '/workload/jane'],
  [['unix:uid:0'], '/workload/workload'],
  [['unix:path:/'], '/workload/workload'],
  [['unix:path:/x/..'], '/workload/workload'],
] as const)('proposes for %s the path %s', ([present, path]) => {
  expect(proposeId(domain, set(present))).toBe(`spiffe://example.org${path}`)
})

test('whatever a process calls itself, the proposal is a SPIFFE ID', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (path, user) => {
      const id = proposeId(domain, set([`unix:path:${path}`, `unix:user:${user}`]))
      expect(parseSpiffeId(id)).toBe(id)
    }),
  )
})
