import { expect, test } from 'vitest'
import { mesh, policy } from '../material.ts'
import { cart, findings, findingsOf, peers, tokens } from './material.ts'

const selected = (app: string, action = 'ALLOW') =>
  policy('p', { action, selector: { matchLabels: { app } }, rules: [{}] })
const known = { workloads: [cart()], knowsAllWorkloads: true }

test('a policy for a gateway or waypoint is ignored in front of a workload', () => {
  const targets = { targetRefs: [{ kind: 'Service', group: '', name: 'cart' }] }
  const found = (action: string) =>
    findingsOf('targets-not-here', [policy('p', { ...targets, action, rules: [{}] })])
  expect(found('DENY')).toMatchObject([{ severity: 'error', field: 'spec.targetRefs' }])
  expect(found('ALLOW')).toMatchObject([{ severity: 'warning' }])
  expect(findingsOf('targets-not-here', [selected('cart')])).toEqual([])
})

test('a RequestAuthentication for a waypoint is, too', () => {
  const spec = {
    targetRefs: [{ kind: 'Service', group: '', name: 'cart' }],
    jwtRules: [{ issuer: 'i' }],
  }
  const found = findings({ requestAuthentications: [tokens(spec)] })
  expect(found).toMatchObject([{ code: 'targets-not-here', kind: 'RequestAuthentication' }])
})

test('a selector that no workload has is told', () => {
  const [finding] = findingsOf('selects-nothing', [selected('basket')], known)
  expect(finding).toMatchObject({
    severity: 'warning',
    field: 'spec.selector.matchLabels',
    what: 'no workload of the namespace "shop" has app: basket',
  })
})

test('a policy in the wrong namespace is told where its workloads are', () => {
  const elsewhere = { ...known, workloads: [cart(undefined, { namespace: 'else' })] }
  const [finding] = findingsOf('selects-nothing', [selected('cart')], elsewhere)
  expect(finding?.instead).toContain('"else"')
  const [empty] = findingsOf('selects-nothing', [policy('p', {})], elsewhere)
  expect(empty).toMatchObject({
    field: 'metadata.namespace',
    what: 'there is no workload in the namespace "shop"',
  })
})

test('policies of other kinds are looked at, too', () => {
  const spec = { selector: { matchLabels: { app: 'basket' } } }
  const found = findings(
    {
      peerAuthentications: [peers('p', { ...spec, mtls: { mode: 'STRICT' } })],
      requestAuthentications: [tokens(spec)],
    },
    known,
  )
  expect(found.map(({ code, kind }) => [code, kind])).toEqual([
    ['selects-nothing', 'PeerAuthentication'],
    ['selects-nothing', 'RequestAuthentication'],
  ])
})

test('a policy is left alone when it selects somebody, or when not all workloads are known', () => {
  expect(findingsOf('selects-nothing', [selected('cart'), policy('wide', {})], known)).toEqual([])
  const global = policy('p', {}, { namespace: 'istio-system' })
  expect(findingsOf('selects-nothing', [global], known)).toEqual([])
  expect(
    findingsOf('selects-nothing', [selected('basket')], { ...known, knowsAllWorkloads: false }),
  ).toEqual([])
})

test('CUSTOM needs a provider of the mesh', () => {
  const ask = (name: string) => policy('p', { action: 'CUSTOM', provider: { name }, rules: [{}] })
  const found = (name: string, knowsProviders = true) =>
    findingsOf('provider-missing', [ask(name)], { knowsProviders })
  expect(found('pdp')[0]?.instead).toContain('write one of opa, web')
  expect(found('opa')).toEqual([])
  expect(found('pdp', false)).toEqual([])
  const bare = { mesh: { ...mesh, extensionProviders: [] } }
  expect(findingsOf('provider-missing', [ask('opa')], { knowsProviders: true }, bare)).toHaveLength(
    1,
  )
})
