import { expect, test } from 'vitest'
import { compileAuthorization } from '../../policy/compile.ts'
import { explain } from '../../policy/explain.ts'
import { meshOf, policy, request, workload } from './material.ts'

const authorizationPolicies = [
  policy('allow', {
    rules: [
      {
        from: [
          {
            source: { principals: ['cluster.local/ns/web/sa/other'], notIpBlocks: ['10.9.0.0/16'] },
          },
        ],
        to: [{ operation: { paths: ['/basket'] } }],
        when: [{ key: 'request.headers[x-team]', values: ['red'] }],
      },
    ],
  }),
  policy('deny', { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin*'] } }] }] }),
  policy('ask', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] }),
]

test('every clause is told with what it asked for and what was there', () => {
  const compiled = compileAuthorization(meshOf({ authorizationPolicies }), workload, {
    kind: 'sidecar-http',
  })
  const { policies } = explain(compiled, request())
  expect(policies.map(({ action, matches }) => [action, matches])).toEqual([
    ['CUSTOM', true],
    ['DENY', false],
    ['ALLOW', false],
  ])
  expect(policies[2]?.rules[0]).toMatchObject({
    kind: 'rule',
    matches: false,
    from: [
      [
        {
          field: 'from[0].source.principals',
          negated: false,
          values: ['cluster.local/ns/web/sa/other'],
          seen: 'cluster.local/ns/web/sa/front',
          holds: false,
        },
        { field: 'from[0].source.notIpBlocks', negated: true, seen: '10.1.2.3', holds: true },
      ],
    ],
    to: [[{ field: 'to[0].operation.paths', seen: '/basket', holds: true }]],
    when: [{ field: 'when[0].values of request.headers[x-team]', seen: undefined, holds: false }],
  })
})

test('the verdict and the providers are those of the decision', () => {
  const compiled = compileAuthorization(meshOf({ authorizationPolicies }), workload, {
    kind: 'sidecar-http',
  })
  const { verdict, providers } = explain(compiled, request())
  expect(verdict).toMatchObject({ kind: 'deny', why: 'provider-unasked' })
  expect(providers).toMatchObject([{ provider: 'opa', by: { policy: 'ask' } }])
})

test('a rule that the place cannot enforce says why', () => {
  const compiled = compileAuthorization(meshOf({ authorizationPolicies }), workload, {
    kind: 'sidecar-tcp',
  })
  const { policies } = explain(compiled, request())
  expect(policies.find(({ name }) => name === 'allow')?.rules).toEqual([
    {
      kind: 'left-out',
      name: { namespace: 'shop', policy: 'allow', rule: 0 },
      why: 'a TCP port has no path, request.headers[x-team]',
    },
  ])
  expect(policies.find(({ name }) => name === 'deny')?.rules).toMatchObject([
    { kind: 'rule', matches: true, notes: [expect.stringContaining('a TCP port has no path')] },
  ])
})
