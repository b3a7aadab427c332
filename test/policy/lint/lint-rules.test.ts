import { describe, expect, test } from 'vitest'
import type { FindingCode } from '../../../policy/lint/finding.ts'
import { policy } from '../material.ts'
import { allow, deny, findingsOf, operation, source, when } from './material.ts'

const front = source({ principals: ['cluster.local/ns/web/sa/front'] })
const get = operation({ methods: ['GET'] })

describe('a rule torn in two by a dash', () => {
  test('admits whoever one of the two admits', () => {
    const [finding] = findingsOf('rules-split-by-dash', [allow(front, get)])
    expect(finding).toMatchObject({
      severity: 'warning',
      rule: 1,
      what: 'rule 0 asks for from alone and rule 1 for to alone, so either of them is enough to be admitted',
      instead: 'remove the dash before to if both must hold',
    })
  })

  test.for([
    ['to before from', allow(get, front), 'warning'],
    ['when behind both', allow({ ...front, ...get }, when('source.ip', ['10.0.0.1'])), 'warning'],
    ['DENY, which only denies more', deny(front, get), 'info'],
  ] as const)('is found: %s', ([, one, severity]) => {
    expect(findingsOf('rules-split-by-dash', [one])).toMatchObject([{ severity }])
  })

  test.for([
    ['one rule', allow({ ...front, ...get })],
    ['two rules about the same', allow(front, source({ namespaces: ['web'] }))],
    ['rules that share a part', allow({ ...front, ...get }, get)],
    ['a rule that asks nothing', allow(front, {})],
    ['two policies', allow(front)],
  ] as const)('is not %s', ([, one]) => {
    expect(findingsOf('rules-split-by-dash', [one, policy('q', { rules: [get] })])).toEqual([])
  })
})

test('a rule of ALLOW that asks nothing admits everybody, an empty list asks nothing', () => {
  expect(findingsOf('allow-everybody', [allow({})])).toMatchObject([{ severity: 'info', rule: 0 }])
  expect(findingsOf('allow-everybody', [allow({ from: [] })])).toHaveLength(1)
  expect(findingsOf('allow-everybody', [allow(front), deny({}), allow()])).toEqual([])
})

describe('rules that change nothing', () => {
  const found = (code: FindingCode, ...policies: readonly ReturnType<typeof policy>[]) =>
    findingsOf(code, policies).map((one) => `${one.policy.name}#${one.rule}`)

  test('of two that are the same the second is told, wherever they stand', () => {
    expect(found('rule-duplicate', allow(front, get, front))).toEqual(['p#2'])
    expect(
      found('rule-duplicate', policy('a', { rules: [front] }), policy('b', { rules: [front] })),
    ).toEqual(['b#0'])
    const order = allow(
      operation({ methods: ['GET', 'PUT'] }),
      operation({ methods: ['PUT', 'GET'] }),
    )
    expect(found('rule-duplicate', order)).toEqual(['p#1'])
  })

  test('one within another is told, whichever comes first', () => {
    expect(found('rule-shadowed', allow({ ...front, ...get }, front))).toEqual(['p#0'])
    expect(found('rule-shadowed', allow(front, { ...front, ...get }))).toEqual(['p#1'])
    expect(found('rule-shadowed', allow({}, front))).toEqual(['p#1'])
  })

  test('one within another of a wider policy is told', () => {
    const mesh = policy('mesh', { rules: [front] }, { namespace: 'istio-system' })
    const cart = policy('cart', { selector: { matchLabels: { app: 'cart' } }, rules: [front] })
    expect(found('rule-duplicate', mesh, cart)).toEqual(['cart#0'])
    expect(found('rule-duplicate', cart, mesh)).toEqual(['cart#0'])
  })

  test('ALLOW beneath a DENY of the same is never used', () => {
    const none = policy('none', { action: 'DENY', rules: [{}] })
    expect(findingsOf('allow-never-used', [none, allow(front)])).toMatchObject([
      { severity: 'error', policy: { name: 'p' } },
    ])
    expect(found('allow-never-used', allow(front), deny({ ...front, ...get }))).toEqual([])
  })

  test.for([
    ['of another action', [allow(front), policy('q', { action: 'AUDIT', rules: [front] })]],
    [
      'of another provider',
      [1, 2].map((n) =>
        policy(`q${n}`, { action: 'CUSTOM', provider: { name: `p${n}` }, rules: [get] }),
      ),
    ],
    [
      'on trial',
      [
        allow(front),
        policy('q', { rules: [front] }, { annotations: { 'istio.io/dry-run': 'true' } }),
      ],
    ],
    [
      'of another namespace',
      [allow(front), policy('q', { rules: [front] }, { namespace: 'else' })],
    ],
    [
      'of another workload',
      ['a', 'b'].map((app) => policy(app, { selector: { matchLabels: { app } }, rules: [front] })),
    ],
    [
      'of the same account name in another namespace',
      [
        policy(
          'a',
          { rules: [source({ serviceAccounts: ['front'] })] },
          { namespace: 'istio-system' },
        ),
        policy('b', { rules: [source({ serviceAccounts: ['front'] })] }),
      ],
    ],
    ['beside it', [allow(front, get)]],
  ] as const)('are not those %s', ([, policies]) => {
    for (const code of ['rule-duplicate', 'rule-shadowed'] as const) {
      expect(found(code, ...policies)).toEqual([])
    }
  })

  test('are looked for up to a bound, and that is told', () => {
    const rules = Array.from({ length: 500 }, (_, n) =>
      source({ principals: [`cluster.local/${n}`] }),
    )
    const policies = Array.from({ length: 5 }, (_, n) => policy(`p${n}`, { rules }))
    expect(findingsOf('too-many-rules-to-compare', policies)).toHaveLength(1)
    expect(findingsOf('too-many-rules-to-compare', policies.slice(0, 1))).toEqual([])
  })

  test('are not compared without end when each of them is long', () => {
    const principals = Array.from({ length: 60 }, (_, n) => `cluster.local/${n}*`)
    const rules = Array.from({ length: 500 }, (_, n) =>
      source({ principals: [...principals, `cluster.local/own/${n}`] }),
    )
    const found = findingsOf('too-many-rules-to-compare', [policy('p', { rules })])
    expect(found).toHaveLength(1)
  })
})
