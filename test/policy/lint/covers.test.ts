import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileAuthorization } from '../../../policy/compile.ts'
import { decide } from '../../../policy/decide.ts'
import type { RequestFacts } from '../../../policy/facts.ts'
import { type OwnedRule, ruleCovers } from '../../../policy/lint/covers.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { meshOf, policy, request, workload } from '../material.ts'
import { operation, source, when } from './material.ts'

const owned = (fields: object, namespace = 'shop'): OwnedRule => {
  const [rule] = policy('p', { rules: [fields] }).rules
  if (rule === undefined) throw new Error('the policy has no rule')
  return { namespace, rule }
}

describe('one rule covers another', () => {
  test.for([
    ['a prefix', operation({ paths: ['/a*'] }), operation({ paths: ['/a/b', '/ab*'] })],
    ['a suffix', operation({ hosts: ['*.Example'] }), operation({ hosts: ['a.example'] })],
    [
      'a template beneath a prefix',
      operation({ paths: ['/a/*'] }),
      operation({ paths: ['/a/{*}'] }),
    ],
    [
      'a block',
      source({ ipBlocks: ['10.0.0.0/8'] }),
      source({ ipBlocks: ['10.1.0.0/16', '10.2.3.4'] }),
    ],
    ['more exceptions', source({ notNamespaces: ['a'] }), source({ notNamespaces: ['a', 'b'] })],
    ['wider exceptions', operation({ notPaths: ['/a'] }), operation({ notPaths: ['/a*'] })],
    [
      'more conditions',
      when('source.ip', ['10.0.0.1']),
      { ...when('source.ip', ['10.0.0.1']), ...operation({ ports: ['1'] }) },
    ],
    [
      'one account in two spellings',
      source({ serviceAccounts: ['shop/cart'] }),
      source({ serviceAccounts: ['cart'] }),
    ],
  ] as const)('by %s', ([, wide, narrow]) => {
    expect(ruleCovers(owned(wide), owned(narrow))).toBe(true)
  })

  test.for([
    ['a prefix and a suffix', operation({ paths: ['/a*'] }), operation({ paths: ['*/a'] })],
    ['two templates', operation({ paths: ['/a/{**}'] }), operation({ paths: ['/a/{*}'] })],
    ['another field', source({ principals: ['*'] }), source({ namespaces: ['a'] })],
    [
      'an account of another namespace',
      source({ serviceAccounts: ['cart'] }),
      source({ serviceAccounts: ['else/cart'] }),
    ],
    ['an issuer', source({ requestPrincipals: ['i/*'] }), source({ requestPrincipals: ['i/a'] })],
  ] as const)('in doubt not: %s', ([, wide, narrow]) => {
    expect(ruleCovers(owned(wide), owned(narrow))).toBe(false)
  })
})

const pick = <T>(values: readonly T[]) => fc.constantFrom(...values)
const texts = (...values: readonly string[]) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant<readonly string[]>([]) },
    fc.uniqueArray(pick(values), { minLength: 1, maxLength: 3 }),
  )

const filled = <T extends object>(fields: fc.Arbitrary<T>) =>
  fields.filter((one) => Object.values(one).some((values) => values.length > 0))

const sources = filled(
  fc.record({
    principals: texts('a.td/ns/web/sa/x', 'a.td/*', '*/sa/x', '*', 'b.td/ns/web/sa/y'),
    notPrincipals: texts('a.td/ns/web/sa/x', 'a.td/*', '*'),
    namespaces: texts('web', 'w*', '*', '*b'),
    notNamespaces: texts('web', 'w*'),
    requestPrincipals: texts('*', 'i/alice', 'i/*', '*/alice'),
    ipBlocks: texts('10.1.2.3', '10.1.0.0/16', '10.0.0.0/8', '192.0.2.1'),
    notIpBlocks: texts('10.1.2.3', '10.1.0.0/16'),
  }),
)

const operations = filled(
  fc.record({
    hosts: texts('a.example', '*.example', 'A.example:80', 'a*', '*'),
    ports: texts('80', '8080'),
    notMethods: texts('GET', 'P*'),
    paths: texts('/a', '/a*', '/a/b', '*/b', '/a/{*}', '/{**}', '*'),
    notPaths: texts('/a', '/a*', '*/b', '/a/{*}'),
  }),
)

const rules = fc.record({
  from: fc.array(
    sources.map((one) => ({ source: one })),
    { maxLength: 2 },
  ),
  to: fc.array(
    operations.map((one) => ({ operation: one })),
    { maxLength: 2 },
  ),
})

const ids = ['a.td/ns/web/sa/x', 'b.td/ns/web/sa/y', 'a.td/ns/shop/sa/x', 'a.td/x'].map((id) =>
  parseSpiffeId(`spiffe://${id}`),
)

const requests: fc.Arbitrary<RequestFacts> = fc
  .record({
    peer: pick([...ids, undefined]),
    sourceIp: pick(['10.1.2.3', '10.1.9.9', '10.9.9.9', '192.0.2.1']),
    destinationPort: pick([80, 8080]),
    method: pick(['GET', 'POST']),
    path: pick(['/', '/a', '/a/', '/a/b', '/a/c/b', '/ab']),
    host: pick(['a.example', 'A.example:80', 'b.example', 'a']),
    token: pick([undefined, token('i', 'alice'), token('i', 'bob')]),
  })
  .map(request)

function token(issuer: string, subject: string) {
  return { issuer, subject, claims: {}, spaceDelimitedClaims: [] }
}

/** The same rule with fewer values here and there, so that it often lies within the first. */
const narrowed = (rule: { readonly from: readonly object[]; readonly to: readonly object[] }) =>
  fc.record({
    from:
      rule.from.length === 0
        ? rules.map((one) => one.from)
        : fc.shuffledSubarray([...rule.from], { minLength: 1 }),
    to:
      rule.to.length === 0
        ? rules.map((one) => one.to)
        : fc.shuffledSubarray([...rule.to], { minLength: 1 }),
  })

const pairs = fc.oneof(
  fc.tuple(rules, rules),
  rules.chain((wide) => fc.tuple(fc.constant(wide), narrowed(wide))),
)

const admits = (fields: object, facts: RequestFacts): boolean => {
  const snapshot = meshOf({ authorizationPolicies: [policy('p', { rules: [fields] })] })
  const compiled = compileAuthorization(snapshot, workload, { kind: 'sidecar-http' })
  return decide(compiled, facts).kind === 'allow'
}

test('a rule that is covered admits nothing that the other one does not', () => {
  let covered = 0
  fc.assert(
    fc.property(
      pairs,
      fc.array(requests, { minLength: 20, maxLength: 20 }),
      ([wide, narrow], asked) => {
        if (!ruleCovers(owned(wide), owned(narrow))) return
        covered += 1
        for (const one of asked) {
          if (admits(narrow, one)) expect(admits(wide, one)).toBe(true)
        }
      },
    ),
    { numRuns: 400 },
  )
  expect(covered).toBeGreaterThan(20)
})

test('every rule covers itself', () => {
  fc.assert(
    fc.property(rules, (rule) => {
      expect(ruleCovers(owned(rule), owned(rule))).toBe(true)
    }),
  )
})
