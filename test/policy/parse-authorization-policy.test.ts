import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAuthorizationPolicy } from '../../policy/parse-authorization-policy.ts'
import { parsePeerAuthentication } from '../../policy/parse-peer-authentication.ts'
import { parseRequestAuthentication } from '../../policy/parse-request-authentication.ts'

const object = (spec: unknown, parts: object = {}) => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'v', namespace: 'shop' },
  spec,
  ...parts,
})

/** The fields with mistakes, in order. */
const faults = (spec: unknown, parts: object = {}) => {
  const parsed = parseAuthorizationPolicy(object(spec, parts))
  return parsed.kind === 'faults' ? parsed.faults.map(({ field }) => field) : 'accepted'
}
const rule = (fields: object) => ({ rules: [fields] })
const source = (fields: object) => rule({ from: [{ source: fields }] })
const operation = (fields: object) => rule({ to: [{ operation: fields }] })
const when = (key: string, values: unknown = ['a']) => rule({ when: [{ key, values }] })

describe('an AuthorizationPolicy', () => {
  test('becomes lists, empty where a field is absent', () => {
    const parsed = parseAuthorizationPolicy(object(source({ principals: ['a'] })))
    expect(parsed).toMatchObject({
      kind: 'policy',
      warnings: [],
      policy: {
        namespace: 'shop',
        name: 'v',
        action: { kind: 'ALLOW' },
        attachment: { kind: 'selector', labels: {} },
        dryRun: false,
        rules: [
          { from: [{ principals: ['a'], notPrincipals: [], namespaces: [] }], to: [], when: [] },
        ],
      },
    })
  })

  test.each([undefined, null, {}])('may have no spec at all: %j', (spec) => {
    expect(faults(spec)).toBe('accepted')
  })

  test('is of the namespace default when it names none', () => {
    const parsed = parseAuthorizationPolicy(object({}, { metadata: { name: 'v' } }))
    expect(parsed).toMatchObject({ policy: { namespace: 'default' } })
  })

  test('may carry the metadata and status of a cluster', () => {
    const metadata = { name: 'v', namespace: 'shop', uid: 'u', generation: 3, managedFields: [{}] }
    expect(faults({}, { metadata, status: { conditions: [] } })).toBe('accepted')
  })

  test.each([
    ['another version', {}, { apiVersion: 'security.istio.io/v1alpha1' }, ['apiVersion']],
    ['another kind', {}, { kind: 'PeerAuthentication' }, ['kind']],
    ['no name', {}, { metadata: { namespace: 'shop' } }, ['metadata.name']],
    ['a field beside spec', {}, { rules: [] }, ['rules']],
    ['a misspelt field', { rule: [] }, {}, ['spec.rule']],
    [
      'a misspelt source field',
      source({ principal: ['a'] }),
      {},
      ['spec.rules[0].from[0].source.principal', 'spec.rules[0].from[0].source'],
    ],
    ['an unknown action', { action: 'deny', rules: [{}] }, {}, ['spec.action']],
    ['an action as a number', { action: 1, rules: [{}] }, {}, ['spec.action']],
    ['rules that are no list', { rules: {} }, {}, ['spec.rules']],
    ['a rule that is nothing', { rules: [null] }, {}, ['spec.rules[0]']],
    ['DENY with an empty list of rules', { action: 'DENY', rules: [] }, {}, ['spec.rules']],
    ['a source without source', rule({ from: [{}] }), {}, ['spec.rules[0].from[0].source']],
    ['a source of empty lists', source({ principals: [] }), {}, ['spec.rules[0].from[0].source']],
    ['an empty operation', operation({}), {}, ['spec.rules[0].to[0].operation']],
    [
      'a port as a number',
      operation({ ports: [8080] }),
      {},
      ['spec.rules[0].to[0].operation.ports[0]', 'spec.rules[0].to[0].operation'],
    ],
    ['a negative port', operation({ ports: ['-1'] }), {}, ['spec.rules[0].to[0].operation.ports']],
    [
      'a bad block',
      source({ ipBlocks: ['10.0.0.0/33'] }),
      {},
      ['spec.rules[0].from[0].source.ipBlocks'],
    ],
    [
      'a service account with a star',
      source({ serviceAccounts: ['a/*'] }),
      {},
      ['spec.rules[0].from[0].source.serviceAccounts'],
    ],
    [
      'a service account without a name',
      source({ serviceAccounts: ['a/'] }),
      {},
      ['spec.rules[0].from[0].source.serviceAccounts'],
    ],
    [
      'service accounts beside notPrincipals',
      source({ serviceAccounts: ['a/b'], notPrincipals: ['x'] }),
      {},
      ['spec.rules[0].from[0].source'],
    ],
    [
      'an operator behind {**}',
      operation({ paths: ['/{**}/{*}'] }),
      {},
      ['spec.rules[0].to[0].operation.paths[0]'],
    ],
    [
      'an operator that is part of a segment',
      operation({ notPaths: ['/a{*}'] }),
      {},
      ['spec.rules[0].to[0].operation.notPaths[0]'],
    ],
    [
      'a condition without values',
      rule({ when: [{ key: 'source.ip' }] }),
      {},
      ['spec.rules[0].when[0]'],
    ],
    [
      'a condition with empty values',
      rule({ when: [{ key: 'source.ip', values: [] }] }),
      {},
      ['spec.rules[0].when[0]'],
    ],
    [
      'a condition on a bad address',
      when('source.ip', ['a']),
      {},
      ['spec.rules[0].when[0].values'],
    ],
    ['a key in another case', when('source.serviceaccount'), {}, ['spec.rules[0].when[0].key']],
    ['empty brackets', when('request.headers[]'), {}, ['spec.rules[0].when[0].key']],
    ['a removed key', when('destination.namespace'), {}, ['spec.rules[0].when[0].key']],
    [
      'CUSTOM with a trust domain',
      { action: 'CUSTOM', provider: { name: 'p' }, ...source({ trustDomains: ['a'] }) },
      {},
      ['spec.rules[0].from[0].source.trustDomains'],
    ],
    [
      'CUSTOM with source.principal',
      { action: 'CUSTOM', provider: { name: 'p' }, ...when('source.principal') },
      {},
      ['spec.rules[0].when[0].key'],
    ],
    [
      'a provider that is no label',
      { action: 'CUSTOM', provider: { name: 'P_1' }, rules: [{}] },
      {},
      ['spec.provider.name'],
    ],
    [
      'a selector and a target',
      { selector: { matchLabels: { a: 'b' } }, targetRefs: [{ kind: 'Service', name: 's' }] },
      {},
      ['spec'],
    ],
    [
      'a target of another kind',
      { targetRefs: [{ kind: 'Pod', name: 's' }] },
      {},
      ['spec.targetRefs[0]'],
    ],
    ['a target without a name', { targetRef: { kind: 'Service' } }, {}, ['spec.targetRef.name']],
    [
      'a wildcard in a selector',
      { selector: { matchLabels: { a: '*' } } },
      {},
      ['spec.selector.matchLabels.a'],
    ],
    [
      'dry-run with AUDIT',
      { action: 'AUDIT', rules: [{}] },
      { metadata: { name: 'v', annotations: { 'istio.io/dry-run': 'true' } } },
      ['metadata.annotations.istio.io/dry-run'],
    ],
  ])('is refused with %s', (_, spec, parts, expected) => {
    expect(faults(spec, parts)).toEqual(expected)
  })

  test('is refused with more rules than the schema allows', () => {
    expect(faults({ rules: new Array(513).fill({}) })).toEqual(['spec.rules'])
    expect(faults({ rules: new Array(512).fill({}) })).toBe('accepted')
  })

  test('is told all of its mistakes at once', () => {
    expect(faults({ action: 'NO', rules: [{ from: [{ source: {} }] }], extra: 1 })).toHaveLength(3)
  })

  test.each([{ from: [] }, { to: [] }, { when: [] }, { from: null }])(
    'counts %j as asking nothing',
    (fields) => {
      expect(faults(rule(fields))).toBe('accepted')
    },
  )

  test.each([
    ['HTTP fields alone in a DENY rule', { action: 'DENY', ...operation({ methods: ['GET'] }) }, 1],
    [
      'a port beside them',
      { action: 'DENY', ...operation({ methods: ['GET'], ports: ['80'] }) },
      0,
    ],
    ['the same in an ALLOW rule', operation({ methods: ['GET'] }), 0],
    [
      'an L4 source with an HTTP operation',
      {
        action: 'DENY',
        rules: [
          { from: [{ source: { namespaces: ['a'] } }], to: [{ operation: { paths: ['/'] } }] },
        ],
      },
      1,
    ],
    ['a selector without labels', { selector: { matchLabels: {} } }, 1],
  ])('with %s is accepted, with %3$s warnings', (_, spec, count) => {
    const parsed = parseAuthorizationPolicy(object(spec))
    expect(parsed.kind === 'policy' && parsed.warnings).toHaveLength(count)
  })

  test.each(['1', 't', 'TRUE', 'True'])('is tried in dry-run by the annotation %s', (value) => {
    const metadata = { name: 'v', annotations: { 'istio.io/dry-run': value } }
    expect(parseAuthorizationPolicy(object({}, { metadata }))).toMatchObject({
      policy: { dryRun: true },
    })
  })
})

describe('every parser', () => {
  test.each([parseAuthorizationPolicy, parsePeerAuthentication, parseRequestAuthentication])(
    'answers with a policy or faults, whatever the object',
    (parse) => {
      const keys = fc.constantFrom(
        'rules',
        'from',
        'source',
        'selector',
        'matchLabels',
        'mtls',
        'jwtRules',
        'jwks',
        'portLevelMtls',
        'when',
        'x',
      )
      const { tree } = fc.letrec((tie) => ({
        tree: fc.oneof(
          { maxDepth: 5 },
          fc.constantFrom<unknown>(null, 1, '', 'a', '*', true),
          fc.array(tie('tree'), { maxLength: 3 }),
          fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
        ),
      }))
      fc.assert(
        fc.property(tree, (spec) => {
          expect(['policy', 'faults']).toContain(parse(object(spec)).kind)
          expect(parse(spec).kind).toBe('faults')
        }),
      )
    },
  )
})
