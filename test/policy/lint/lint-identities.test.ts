import { describe, expect, test } from 'vitest'
import { allow, deny, findingsOf, operation, peers, source, when, whenNot } from './material.ts'

const FRONT = 'cluster.local/ns/web/sa/front'

describe('principals', () => {
  test('that begin with spiffe:// match nobody, and the right text is told', () => {
    const [finding, ...more] = findingsOf('principal-scheme', [
      allow(source({ principals: [`spiffe://${FRONT}`] })),
    ])
    expect(more).toEqual([])
    expect(finding).toEqual({
      kind: 'AuthorizationPolicy',
      policy: { namespace: 'shop', name: 'p' },
      rule: 0,
      field: 'spec.rules[0].from[0].source.principals',
      code: 'principal-scheme',
      severity: 'error',
      what: `no principal begins with spiffe://, so "spiffe://${FRONT}" admits nobody`,
      instead: `write "${FRONT}"`,
    })
  })

  test.for([
    ['DENY', deny(source({ principals: [`spiffe://${FRONT}`] })), 'denies nobody'],
    [
      'an exception of DENY',
      deny(source({ notPrincipals: [`spiffe://${FRONT}`] })),
      'exempts nobody',
    ],
    [
      'an exception of ALLOW',
      allow(source({ notPrincipals: [`spiffe://${FRONT}`] })),
      'keeps nobody out',
    ],
    ['a condition', allow(when('source.principal', [`spiffe://${FRONT}`])), 'admits nobody'],
  ] as const)('that begin with spiffe:// are found in %s', ([, policy, effect]) => {
    const [finding] = findingsOf('principal-scheme', [policy])
    expect(finding?.what).toContain(effect)
  })

  test('without a scheme are left alone, and so are claims with one', () => {
    const policies = [
      allow(source({ principals: [FRONT, '*', '*/ns/web/sa/front'] })),
      allow(when('request.auth.claims[sub]', [`spiffe://${FRONT}`])),
    ]
    expect(findingsOf('principal-scheme', policies)).toEqual([])
    expect(findingsOf('principal-without-trust-domain', policies)).toEqual([])
  })

  test.for(['ns/web/sa/front', '/ns/web/sa/front'])('%s lacks its trust domain', (value) => {
    const [finding] = findingsOf('principal-without-trust-domain', [
      allow(source({ principals: [value] })),
    ])
    expect(finding?.instead).toBe(`write "${FRONT}", or "*/ns/web/sa/front" for any trust domain`)
  })

  test('of another trust domain are told, those of ours and of any are not', () => {
    const found = (value: string) =>
      findingsOf('foreign-trust-domain', [allow(source({ principals: [value] }))]).length
    expect(found('other.example/ns/web/sa/front')).toBe(1)
    expect(found(FRONT)).toBe(0)
    expect(found('*/ns/web/sa/front')).toBe(0)
    expect(found('other*')).toBe(0)
  })
})

describe('namespaces and service accounts', () => {
  const billing = deny(source({ principals: ['cluster.local/billing'] }))

  test('never match callers whose IDs have other paths, and their negations hold for them', () => {
    const positive = findingsOf('names-need-istio-ids', [
      billing,
      allow(source({ namespaces: ['web'] })),
    ])
    expect(positive).toMatchObject([
      { severity: 'info', field: expect.stringMatching(/namespaces$/) },
    ])
    const negative = findingsOf('names-need-istio-ids', [
      billing,
      allow(source({ notServiceAccounts: ['web/front'] })),
    ])
    expect(negative).toMatchObject([{ severity: 'warning' }])
    expect(negative[0]?.what).toContain('spiffe://cluster.local/billing')
  })

  test('are left alone where every principal is of the usual form', () => {
    const usual = deny(source({ principals: [FRONT, '*/billing', 'cluster.local/*'] }))
    const names = allow(source({ namespaces: ['web'] }))
    expect(findingsOf('names-need-istio-ids', [usual, names])).toEqual([])
  })
})

describe('ALLOW with negations alone', () => {
  test.for([
    ['notPrincipals', allow(source({ notPrincipals: [FRONT] }))],
    ['notNamespaces', allow(source({ notNamespaces: ['web'] }))],
    ['notServiceAccounts', allow(source({ notServiceAccounts: ['web/front'] }))],
    ['a condition', allow(whenNot('source.namespace', ['web']))],
    [
      'one of two sources',
      allow({
        from: [{ source: { principals: [FRONT] } }, { source: { notNamespaces: ['web'] } }],
      }),
    ],
    [
      'a source beside a condition on the path',
      allow({ ...source({ notNamespaces: ['web'] }), ...operation({ paths: ['/a'] }) }),
    ],
  ] as const)('admits plaintext: %s', ([, policy]) => {
    expect(findingsOf('allow-admits-plaintext', [policy])).toHaveLength(1)
  })

  test.for([
    [
      'an identity is asked for beside it',
      allow(source({ principals: ['*'], notPrincipals: [FRONT] })),
    ],
    [
      'an identity is asked for in a condition',
      allow({ ...source({ notNamespaces: ['web'] }), ...when('source.principal', ['*']) }),
    ],
    [
      'addresses are listed beside it',
      allow(source({ notNamespaces: ['web'], ipBlocks: ['10.0.0.0/8'] })),
    ],
    ['the action is DENY', deny(source({ notPrincipals: [FRONT] }))],
    ['only addresses are excluded', allow(source({ notIpBlocks: ['10.0.0.0/8'] }))],
  ] as const)('is left alone when %s', ([, policy]) => {
    expect(findingsOf('allow-admits-plaintext', [policy])).toEqual([])
  })

  test('is left alone only where mutual TLS is required at every port', () => {
    const policies = [allow(source({ notNamespaces: ['web'] }))]
    const found = (...peerAuthentications: readonly ReturnType<typeof peers>[]) =>
      findingsOf('allow-admits-plaintext', policies, {}, { peerAuthentications }).length
    const strict = peers('strict', { mtls: { mode: 'STRICT' } })
    const open = {
      selector: { matchLabels: { app: 'cart' } },
      portLevelMtls: { 8080: { mode: 'PERMISSIVE' } },
    }
    expect(found(strict)).toBe(0)
    expect(found(strict, peers('open', open))).toBe(1)
    expect(found(peers('other', { mtls: { mode: 'STRICT' } }, { namespace: 'else' }))).toBe(1)
  })
})
