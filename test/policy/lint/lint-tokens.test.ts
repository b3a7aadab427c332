import { describe, expect, test } from 'vitest'
import { policy } from '../material.ts'
import { allow, deny, findingsOf, source, tokens, when, whenNot } from './material.ts'

const ISSUER = 'https://idp.example'
const reading = { requestAuthentications: [tokens({ jwtRules: [{ issuer: ISSUER }] })] }
const principals = (...values: readonly string[]) => [allow(source({ requestPrincipals: values }))]

describe('requestPrincipals', () => {
  test('of https://host* ask for the issuer https:/, and the right texts are told', () => {
    const [finding] = findingsOf('request-principal-prefix', principals('https://idp.example*'))
    expect(finding).toMatchObject({ severity: 'error', rule: 0 })
    expect(finding?.what).toContain('asks for the issuer "https:/" and admits nobody')
    expect(finding?.instead).toContain('"https://idp.example/*"')
    expect(finding?.instead).toContain('request.auth.claims[iss]')
  })

  test('of https://host alone are cut in the same way', () => {
    expect(findingsOf('request-principal-prefix', principals(ISSUER))).toHaveLength(1)
  })

  test.for([`${ISSUER}/*`, `${ISSUER}/alice`, '*', '*/alice', 'https*', `${ISSUER}/realms/a/bob*`])(
    'of %s are left alone',
    (value) => {
      const policies = principals(value)
      expect(findingsOf('request-principal-prefix', policies)).toEqual([])
      expect(findingsOf('request-principal-without-subject', policies)).toEqual([])
      expect(findingsOf('request-principal-spiffe-id', policies)).toEqual([])
    },
  )

  test('without a subject match nobody', () => {
    const [finding] = findingsOf('request-principal-without-subject', principals('idp'))
    expect(finding?.instead).toBe('write "idp/*" for every subject of the issuer')
  })

  test('with a SPIFFE ID for a subject match nobody, a claim does', () => {
    const id = 'spiffe://cluster.local/ns/web/sa/front'
    const [finding] = findingsOf('request-principal-spiffe-id', principals(`${ISSUER}/${id}`))
    expect(finding?.instead).toContain(`request.auth.claims[sub] and the value "${id}"`)
    const claim = [allow(when('request.auth.claims[sub]', [id]))]
    expect(findingsOf('request-principal-spiffe-id', claim)).toEqual([])
  })
})

describe('policies about tokens', () => {
  const policies = principals(`${ISSUER}/*`)

  test.for([
    ['there is none', []],
    ['it is of another namespace', [tokens({ jwtRules: [{ issuer: ISSUER }] }, 'else')]],
    ['it has no rules', [tokens({})]],
  ] as const)('need a RequestAuthentication: %s', ([, requestAuthentications]) => {
    const found = findingsOf('token-never-read', policies, {}, { requestAuthentications })
    expect(found).toMatchObject([
      { severity: 'error', field: expect.stringMatching(/requestPrincipals$/) },
    ])
  })

  test('need one whose labels do not contradict theirs', () => {
    const selected = (app: string) => ({ selector: { matchLabels: { app } } })
    const cart = [
      policy('p', { ...selected('cart'), rules: [source({ requestPrincipals: ['*'] })] }),
    ]
    const found = (app: string) =>
      findingsOf(
        'token-never-read',
        cart,
        {},
        {
          requestAuthentications: [tokens({ ...selected(app), jwtRules: [{ issuer: ISSUER }] })],
        },
      )
    expect(found('web')).toHaveLength(1)
    expect(found('cart')).toEqual([])
  })

  test('are left alone with one of the namespace or of the mesh', () => {
    const mesh = [tokens({ jwtRules: [{ issuer: ISSUER }] }, 'istio-system')]
    expect(findingsOf('token-never-read', policies, {}, reading)).toEqual([])
    expect(findingsOf('token-never-read', policies, {}, { requestAuthentications: mesh })).toEqual(
      [],
    )
  })

  test('name issuers that somebody takes', () => {
    const found = (value: string) => findingsOf('issuer-unknown', principals(value), {}, reading)
    expect(found('https://else.example/alice')[0]?.instead).toBe(
      `write one of their issuers: "${ISSUER}"`,
    )
    expect(found(`${ISSUER}/alice`)).toEqual([])
    expect(found('*/alice')).toEqual([])
  })
})

describe('ALLOW with negations of tokens alone', () => {
  test.for([
    ['notRequestPrincipals', allow(source({ notRequestPrincipals: [`${ISSUER}/bob`] }))],
    ['a condition', allow(whenNot('request.auth.claims[groups]', ['guests']))],
  ] as const)('admits requests without a token: %s', ([, one]) => {
    expect(findingsOf('allow-admits-without-token', [one])).toMatchObject([{ severity: 'warning' }])
  })

  test.for([
    [
      'a principal is asked for beside it',
      allow(source({ requestPrincipals: ['*'], notRequestPrincipals: [`${ISSUER}/bob`] })),
    ],
    [
      'a claim is asked for in a condition',
      allow({
        ...source({ notRequestPrincipals: ['a/b'] }),
        ...when('request.auth.claims[a]', ['b']),
      }),
    ],
    [
      'it is the usual DENY of requests without a token',
      deny(source({ notRequestPrincipals: ['*'] })),
    ],
  ] as const)('is left alone when %s', ([, one]) => {
    expect(findingsOf('allow-admits-without-token', [one])).toEqual([])
  })

  test('is found in a source beside another that asks for a token', () => {
    const both = allow({
      from: [
        { source: { requestPrincipals: ['*'] } },
        { source: { notRequestPrincipals: [`${ISSUER}/bob`] } },
      ],
    })
    expect(findingsOf('allow-admits-without-token', [both])).toMatchObject([
      { field: 'spec.rules[0].from[1].source.notRequestPrincipals' },
    ])
  })
})
