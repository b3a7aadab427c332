import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { composePeerAuthentication, portMode } from '../../policy/mtls.ts'
import type { PeerAuthentication, WrittenMode } from '../../policy/peer-authentication.ts'
import { workload } from './material.ts'

const peerPolicy = (parts: Partial<PeerAuthentication>): PeerAuthentication => ({
  namespace: 'shop',
  name: 'p',
  labels: {},
  createdMs: 0,
  mode: 'UNSET',
  portModes: new Map(),
  ...parts,
})
const compose = (...policies: PeerAuthentication[]) =>
  composePeerAuthentication('istio-system', policies, workload)
const meshWide = (mode: WrittenMode, createdMs = 0) =>
  peerPolicy({ namespace: 'istio-system', name: `m${createdMs}`, mode, createdMs })
const app = { app: 'cart' }

describe('composePeerAuthentication', () => {
  test('is PERMISSIVE when nobody says anything', () => {
    expect(compose()).toEqual({
      mode: 'PERMISSIVE',
      perPort: new Map(),
      sources: [],
      overruled: [],
    })
  })

  test('lets the narrower policy decide where it is not UNSET', () => {
    const strict = meshWide('STRICT')
    expect(compose(strict, peerPolicy({ mode: 'PERMISSIVE' })).mode).toBe('PERMISSIVE')
    expect(compose(strict, peerPolicy({}), peerPolicy({ labels: app })).mode).toBe('STRICT')
  })

  test.each([
    [
      'a selector in the root namespace',
      peerPolicy({ namespace: 'istio-system', labels: app, mode: 'STRICT' }),
    ],
    ['a selector of other labels', peerPolicy({ labels: { app: 'orders' }, mode: 'STRICT' })],
    ['another namespace', peerPolicy({ namespace: 'web', mode: 'STRICT' })],
  ])('does not look at %s', (_, policy) => {
    expect(compose(policy).mode).toBe('PERMISSIVE')
  })

  test('keeps the oldest of a level whole, ports included, and names whom it overrules', () => {
    const old = peerPolicy({
      name: 'old',
      labels: app,
      createdMs: 1,
      portModes: new Map([[80, 'STRICT']]),
    })
    const young = peerPolicy({
      name: 'young',
      labels: app,
      createdMs: 2,
      mode: 'STRICT',
      portModes: new Map([[81, 'STRICT']]),
    })
    expect(compose(young, old)).toEqual({
      mode: 'PERMISSIVE',
      perPort: new Map([[80, 'STRICT']]),
      sources: [{ namespace: 'shop', name: 'old' }],
      overruled: [{ namespace: 'shop', name: 'young' }],
    })
  })

  test('gives an UNSET port the mode of the workload, and a port that nobody names too', () => {
    const required = compose(
      meshWide('STRICT'),
      peerPolicy({
        labels: app,
        portModes: new Map([
          [80, 'UNSET'],
          [81, 'DISABLE'],
        ]),
      }),
    )
    expect([80, 81, 82].map((port) => portMode(required, port))).toEqual([
      'STRICT',
      'DISABLE',
      'STRICT',
    ])
  })

  test('does not depend on the order of the policies', () => {
    const modes = fc.constantFrom<WrittenMode>('UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT')
    const policies = fc.array(
      fc
        .record({
          namespace: fc.constantFrom('shop', 'istio-system', 'web'),
          labels: fc.constantFrom({}, app),
          createdMs: fc.nat(2),
          mode: modes,
          portModes: fc.array(fc.tuple(fc.nat(3), modes)).map((entries) => new Map(entries)),
        })
        .map(peerPolicy),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(policies, fc.infiniteStream(fc.nat()), (list, ranks) => {
        const named = list.map((policy, at) => ({ ...policy, name: `p${at}` }))
        const shuffled = named
          .map((policy) => ({ policy, rank: ranks.next().value ?? 0 }))
          .sort((one, other) => one.rank - other.rank)
          .map(({ policy }) => policy)
        expect(compose(...shuffled)).toEqual(compose(...named))
      }),
    )
  })
})
