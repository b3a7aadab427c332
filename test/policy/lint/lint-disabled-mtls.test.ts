import { describe, expect, test } from 'vitest'
import { policy } from '../material.ts'
import { allow, cart, deny, findingsOf, peers, source, when } from './material.ts'

const off = peers('off', { mtls: { mode: 'DISABLE' } })
const named = allow(source({ namespaces: ['web'] }))

describe('under DISABLE', () => {
  test.for([
    ['namespaces', named, 'the field admits nobody'],
    ['a condition', deny(when('source.principal', ['a'])), 'the field denies nobody'],
    ['a negation', allow(source({ notPrincipals: ['a'] })), 'the negation holds for everybody'],
  ] as const)('nobody has an identity: %s', ([, one, effect]) => {
    const [finding] = findingsOf('identity-never-known', [one], {}, { peerAuthentications: [off] })
    expect(finding?.severity).toBe('error')
    expect(finding?.what).toContain('shop/off sets mutual TLS to DISABLE')
    expect(finding?.what).toContain(effect)
  })

  test('addresses are known all the same', () => {
    const one = [allow(source({ ipBlocks: ['10.0.0.1'] }))]
    expect(findingsOf('identity-never-known', one, {}, { peerAuthentications: [off] })).toEqual([])
  })
})

test.for([
  ['another mode', [peers('on', { mtls: { mode: 'PERMISSIVE' } })]],
  ['no PeerAuthentication', []],
  [
    'a port with another mode',
    [
      peers('off', {
        selector: { matchLabels: { app: 'cart' } },
        mtls: { mode: 'DISABLE' },
        portLevelMtls: { 8080: { mode: 'STRICT' } },
      }),
    ],
  ],
  ['another namespace', [peers('off', { mtls: { mode: 'DISABLE' } }, { namespace: 'else' })]],
] as const)('identities may be known with %s', ([, peerAuthentications]) => {
  const one = [
    policy('p', {
      selector: { matchLabels: { app: 'cart' } },
      rules: [source({ namespaces: ['web'] })],
    }),
  ]
  expect(findingsOf('identity-never-known', one, {}, { peerAuthentications })).toEqual([])
})

test('a workload that somebody asks makes the policy good for it', () => {
  const cartOff = peers('off', {
    selector: { matchLabels: { app: 'cart' } },
    mtls: { mode: 'DISABLE' },
  })
  const found = (...workloads: readonly ReturnType<typeof cart>[]) =>
    findingsOf('identity-never-known', [named], { workloads }, { peerAuthentications: [cartOff] })
      .length
  expect(found(cart())).toBe(1)
  expect(found(cart(), cart([], { labels: { app: 'web' } }))).toBe(0)
})

test('of a policy for the whole mesh nobody knows whom it reaches', () => {
  const mesh = policy(
    'p',
    { rules: [source({ namespaces: ['web'] })] },
    { namespace: 'istio-system' },
  )
  const rootOff = peers('off', { mtls: { mode: 'DISABLE' } }, { namespace: 'istio-system' })
  expect(
    findingsOf('identity-never-known', [mesh], {}, { peerAuthentications: [rootOff] }),
  ).toEqual([])
})
