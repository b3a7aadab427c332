import { describe, expect, test } from 'vitest'
import type { FindingCode } from '../../../policy/lint/finding.ts'
import { cart, findings, peers } from './material.ts'

const codes = (
  code: FindingCode,
  peerAuthentications: readonly ReturnType<typeof peers>[],
  surroundings = {},
) => findings({ peerAuthentications }, surroundings).filter((one) => one.code === code)

const strict = { mtls: { mode: 'STRICT' } }
const on = (labels: object, spec: object = strict) => ({
  selector: { matchLabels: labels },
  ...spec,
})
const created = (creationTimestamp: string) => ({ creationTimestamp })

describe('two PeerAuthentications on one level', () => {
  test('are not merged: the younger one is told whom it loses to', () => {
    const [finding, ...more] = codes('peer-authentication-overruled', [
      peers('old', strict, created('2025-01-01T00:00:00Z')),
      peers('new', { mtls: { mode: 'PERMISSIVE' } }, created('2026-01-01T00:00:00Z')),
    ])
    expect(more).toEqual([])
    expect(finding).toMatchObject({ severity: 'error', policy: { namespace: 'shop', name: 'new' } })
    expect(finding?.what).toContain('loses to shop/old, which is older')
  })

  test('of one moment are told apart by name', () => {
    const [finding] = codes('peer-authentication-overruled', [
      peers('b', strict),
      peers('a', strict),
    ])
    expect(finding).toMatchObject({ policy: { name: 'b' } })
    expect(finding?.what).toContain('as old and first by name')
  })

  test('are those of selectors of which one lies within the other', () => {
    const found = codes('peer-authentication-overruled', [
      peers('a', on({ app: 'cart' })),
      peers('b', on({ app: 'cart', tier: 'front' })),
    ])
    expect(found).toHaveLength(1)
  })

  test('are those of selectors that a known workload has both', () => {
    const two = [peers('a', on({ app: 'cart' })), peers('b', on({ tier: 'front' }))]
    const workloads = [cart([], { labels: { app: 'cart', tier: 'front' } })]
    expect(codes('peer-authentication-overruled', two, { workloads })).toHaveLength(1)
    expect(codes('peer-authentication-overruled', two, { workloads: [cart()] })).toEqual([])
  })

  test.for([
    ['a namespace and a workload', [peers('a', strict), peers('b', on({ app: 'cart' }))]],
    ['two workloads', [peers('a', on({ app: 'cart' })), peers('b', on({ app: 'web' }))]],
    ['two namespaces', [peers('a', strict), peers('b', strict, { namespace: 'else' })]],
    [
      'the mesh and a namespace',
      [peers('a', strict, { namespace: 'istio-system' }), peers('b', strict)],
    ],
  ] as const)('are not %s', ([, two]) => {
    expect(codes('peer-authentication-overruled', two)).toEqual([])
  })
})

test('a selector in the root namespace is ignored, and overrules nothing', () => {
  const root = { namespace: 'istio-system' }
  const both = [peers('a', on({ app: 'cart' }), root), peers('b', on({ app: 'cart' }), root)]
  expect(codes('peer-authentication-root-selector', both)).toHaveLength(2)
  expect(codes('peer-authentication-overruled', both)).toEqual([])
  expect(codes('peer-authentication-root-selector', [peers('a', strict, root)])).toEqual([])
  expect(codes('peer-authentication-root-selector', [peers('a', on({ app: 'cart' }))])).toEqual([])
})

test('a PeerAuthentication without any mode changes nothing', () => {
  expect(codes('peer-authentication-empty', [peers('a', {})])).toMatchObject([
    { severity: 'warning' },
  ])
  const ports = on({ app: 'cart' }, { portLevelMtls: { 8080: { mode: 'STRICT' } } })
  expect(codes('peer-authentication-empty', [peers('a', ports), peers('b', strict)])).toEqual([])
})
