import { describe, expect, test } from 'vitest'
import { compileAuthorization } from '../../policy/compile.ts'
import { decide, decideAfterProviders, providersToAsk } from '../../policy/decide.ts'
import { type front, mesh, meshOf, policy, request, workload } from './material.ts'

const http = { kind: 'sidecar-http' } as const
const onRequests = (...authorizationPolicies: ReturnType<typeof policy>[]) =>
  compileAuthorization(meshOf({ authorizationPolicies }), workload, http)

const all = { rules: [{}] }
const paths = (...values: string[]) => [{ operation: { paths: values } }]

describe('a verdict', () => {
  test('gives a permit for an allow, which is the facts that were judged', () => {
    const facts = request()
    const verdict = decide(onRequests(), facts)
    expect(verdict).toMatchObject({ kind: 'allow', why: 'no-allow-policy', by: undefined })
    expect(verdict.kind === 'allow' && verdict.permit).toBe(facts)
  })

  test('has no permit for a deny', () => {
    expect(decide(onRequests(policy('none', {})), request())).not.toHaveProperty('permit')
  })

  test('names the first rule in the order of identifiers when several match', () => {
    const twelve = Array.from({ length: 12 }, (_, at) => ({
      to: paths(at === 2 || at === 10 ? '/basket' : '/x'),
    }))
    const verdict = decide(onRequests(policy('b', all), policy('a', { rules: twelve })), request())
    expect(verdict.by).toEqual({ namespace: 'shop', policy: 'a', rule: 10 })
  })

  test('is deny when DENY and ALLOW both match', () => {
    const deny = policy('d', { action: 'DENY', ...all })
    expect(decide(onRequests(policy('a', all), deny), request())).toMatchObject({
      why: 'deny-rule',
    })
  })

  test('tells rules of AUDIT policies beside allow and deny, and lets them decide nothing', () => {
    const audit = policy('audit', {
      action: 'AUDIT',
      rules: [{ to: paths('/x') }, {}, { to: paths('/b*') }],
    })
    const audited = [1, 2].map((rule) => ({ namespace: 'shop', policy: 'audit', rule }))
    expect(decide(onRequests(audit), request())).toMatchObject({ kind: 'allow', audited })
    expect(decide(onRequests(audit, policy('none', {})), request())).toMatchObject({
      kind: 'deny',
      audited,
    })
  })
})

describe('dry-run', () => {
  const dry = { annotations: { 'istio.io/dry-run': 'true' } }

  test('is told apart from the verdict', () => {
    const compiled = onRequests(
      policy('deny', { action: 'DENY', ...all }, dry),
      policy('allow', { rules: [{ to: paths('/other') }] }, dry),
    )
    expect(decide(compiled, request())).toMatchObject({
      kind: 'allow',
      why: 'no-allow-policy',
      shadow: {
        deny: { result: 'denied', by: { policy: 'deny', rule: 0 } },
        allow: { result: 'denied', by: undefined },
      },
    })
  })

  test('is silent about an action that nobody tries', () => {
    const { shadow } = decide(onRequests(policy('allow', all, dry)), request())
    expect(shadow).toMatchObject({ allow: { result: 'allowed' }, deny: undefined })
  })
})

describe('external providers', () => {
  const custom = (name: string, provider: string, rule: object = {}) =>
    policy(name, { action: 'CUSTOM', provider: { name: provider }, rules: [rule] })

  test('must agree before anything passes', () => {
    const compiled = onRequests(custom('ask', 'opa'))
    expect(providersToAsk(compiled, request())).toEqual([
      { provider: 'opa', state: 'known', by: { namespace: 'shop', policy: 'ask', rule: 0 } },
    ])
    expect(decide(compiled, request())).toMatchObject({ kind: 'deny', why: 'provider-unasked' })
    expect(decideAfterProviders(compiled, request(), new Set(['web']))).toMatchObject({
      kind: 'deny',
    })
    expect(decideAfterProviders(compiled, request(), new Set(['opa']))).toMatchObject({
      kind: 'allow',
    })
  })

  test('are not asked about what their rules do not match', () => {
    const compiled = onRequests(custom('ask', 'opa', { to: paths('/guard*') }))
    expect(providersToAsk(compiled, request())).toEqual([])
    expect(decide(compiled, request())).toMatchObject({ kind: 'allow' })
  })

  test('must all agree when there are several', () => {
    const compiled = onRequests(custom('one', 'opa'), custom('two', 'web'))
    expect(providersToAsk(compiled, request())).toHaveLength(2)
    expect(decideAfterProviders(compiled, request(), new Set(['opa']))).toMatchObject({
      why: 'provider-unasked',
    })
    expect(decideAfterProviders(compiled, request(), new Set(['opa', 'web'])).kind).toBe('allow')
  })

  test('do not overrule a DENY', () => {
    const compiled = onRequests(custom('ask', 'opa'), policy('d', { action: 'DENY', ...all }))
    expect(decideAfterProviders(compiled, request(), new Set(['opa']))).toMatchObject({
      why: 'deny-rule',
    })
  })

  test('that the mesh does not have deny what matches, even when somebody says that they agreed', () => {
    const compiled = onRequests(custom('ask', 'gone', { to: paths('/guard*') }))
    const guarded = request({ path: '/guard/x' })
    expect(decideAfterProviders(compiled, guarded, new Set(['gone']))).toMatchObject({
      kind: 'deny',
      why: 'provider-missing',
    })
    expect(decide(compiled, request()).kind).toBe('allow')
  })

  test('of requests are not asked about connections, those of gRPC are', () => {
    const snapshot = meshOf({ authorizationPolicies: [custom('one', 'opa'), custom('two', 'web')] })
    const compiled = compileAuthorization(snapshot, workload, { kind: 'sidecar-tcp' })
    expect(providersToAsk(compiled, request()).map(({ provider }) => provider)).toEqual(['opa'])
  })
})

describe('plain connections', () => {
  const on = (
    kind: 'sidecar-tcp' | 'ztunnel',
    ...authorizationPolicies: ReturnType<typeof policy>[]
  ) =>
    decide(compileAuthorization(meshOf({ authorizationPolicies }), workload, { kind }), request())

  test.each(['sidecar-tcp', 'ztunnel'] as const)(
    'at %s are not admitted by a rule about requests',
    (kind) => {
      const allow = policy('a', {
        rules: [{ from: [{ source: { principals: ['*'] } }], to: paths('/b*') }],
      })
      expect(on(kind, allow)).toMatchObject({ kind: 'deny', why: 'no-allow-matched' })
    },
  )

  test('at a sidecar are denied by what is left of a rule about requests, at ztunnel by no clause that is empty', () => {
    const deny = policy('d', { action: 'DENY', rules: [{ to: paths('/nothing-of-the-sort') }] })
    expect(on('sidecar-tcp', deny)).toMatchObject({ kind: 'deny' })
    expect(on('ztunnel', deny)).toMatchObject({ kind: 'allow' })
  })

  test.each([
    ['a rule about remote.ip', { from: [{ source: { remoteIpBlocks: ['0.0.0.0/0'] } }] }],
    ['a rule about the server name', { when: [{ key: 'connection.sni', notValues: ['x'] }] }],
    [
      'a rule about source.serviceAccount',
      { when: [{ key: 'source.serviceAccount', values: ['web/front'] }] },
    ],
    [
      'a rule about trust domains',
      { from: [{ source: { trustDomains: ['*'], namespaces: ['web'] } }] },
    ],
  ])('at ztunnel are not admitted by %s, at a sidecar they are', (_, rule) => {
    expect(on('sidecar-tcp', policy('a', { rules: [rule] })).kind).toBe('allow')
    expect(on('ztunnel', policy('a', { rules: [rule] })).kind).toBe('deny')
  })

  test('at ztunnel are not touched by AUDIT and CUSTOM', () => {
    const custom = policy('c', { action: 'CUSTOM', provider: { name: 'opa' }, ...all })
    expect(on('ztunnel', custom, policy('a', { action: 'AUDIT', ...all }))).toMatchObject({
      kind: 'allow',
      audited: [],
    })
  })
})

describe('names of the trust domain', () => {
  const renamed = (principals: string[], peer: string) => {
    const snapshot = meshOf({
      mesh: {
        ...mesh,
        trustDomain: 'new.td' as typeof mesh.trustDomain,
        trustDomainAliases: ['old.td' as typeof mesh.trustDomain],
      },
      authorizationPolicies: [policy('a', { rules: [{ from: [{ source: { principals } }] }] })],
    })
    const facts = request({ peer: `spiffe://${peer}` as typeof front })
    return decide(compileAuthorization(snapshot, workload, http), facts).kind
  }

  test.each([
    ['cluster.local/ns/web/sa/front', 'new.td/ns/web/sa/front', 'allow'],
    ['cluster.local/ns/web/sa/front', 'cluster.local/ns/web/sa/front', 'deny'],
    ['old.td/ns/web/sa/front', 'new.td/ns/web/sa/front', 'allow'],
    ['o*/ns/web/sa/front', 'new.td/ns/web/sa/front', 'allow'],
    ['*ew.td/ns/web/sa/front', 'old.td/ns/web/sa/front', 'allow'],
    ['*/ns/web/sa/front', 'far.td/ns/web/sa/front', 'allow'],
    ['far.td/ns/web/sa/front', 'new.td/ns/web/sa/front', 'deny'],
    ['old.td/front', 'new.td/front', 'deny'],
    ['old.td/ns/web/*', 'new.td/ns/web/sa/front', 'deny'],
    ['spiffe://new.td/ns/web/sa/front', 'new.td/ns/web/sa/front', 'deny'],
  ])('principal %s and peer %s: %s', (principal, peer, kind) => {
    expect(renamed([principal], peer)).toBe(kind)
  })
})

describe('absent attributes', () => {
  test.each([
    { from: [{ source: { notPrincipals: ['*'] } }] },
    { from: [{ source: { notNamespaces: ['web'] } }] },
    { from: [{ source: { notRequestPrincipals: ['*'] } }] },
    { when: [{ key: 'request.headers[x]', notValues: ['*'] }] },
    { when: [{ key: 'connection.sni', notValues: ['*'] }] },
    { when: [{ key: 'experimental.envoy.filters.a[b]', notValues: ['c'] }] },
  ])('make a negation hold: %j', (rule) => {
    expect(
      decide(onRequests(policy('a', { rules: [rule] })), request({ peer: undefined })).kind,
    ).toBe('allow')
  })

  test.each([
    { from: [{ source: { principals: ['*'] } }] },
    { from: [{ source: { namespaces: ['*'] } }] },
    { from: [{ source: { requestPrincipals: ['*'] } }] },
    { when: [{ key: 'request.headers[x]', values: ['*'] }] },
    { when: [{ key: 'experimental.envoy.filters.a[b]', values: ['*'] }] },
    { when: [{ key: 'source.ip', values: ['0.0.0.0/0'] }] },
  ])('match no value: %j', (rule) => {
    const facts = request({ peer: undefined, sourceIp: 'somewhere' })
    expect(decide(onRequests(policy('a', { rules: [rule] })), facts).kind).toBe('deny')
  })
})

test('a repeated header is compared line by line, so no second line hides the first', () => {
  const deny = policy('d', {
    action: 'DENY',
    rules: [{ when: [{ key: 'request.headers[X-Team]', values: ['red'] }] }],
  })
  const lines = (...values: string[]) =>
    request({ headerLines: (name) => (name === 'x-team' ? values : []) })
  expect(decide(onRequests(deny), lines('blue', 'red')).kind).toBe('deny')
  expect(decide(onRequests(deny), lines('red,blue')).kind).toBe('allow')
})

test('characters of regular expressions in values are characters', () => {
  const allow = policy('a', {
    rules: [{ from: [{ source: { namespaces: ['w.b'], notPrincipals: ['*.+'] } }] }],
  })
  expect(decide(onRequests(allow), request()).kind).toBe('deny')
})
