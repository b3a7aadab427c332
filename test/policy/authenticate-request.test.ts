import { describe, expect, test } from 'vitest'
import {
  authenticateRequest,
  jwtRulesFor,
  type TokenFault,
  type VerifyToken,
} from '../../policy/authenticate-request.ts'
import type { JwtRule } from '../../policy/request-authentication.ts'
import { requestEdits } from '../../policy/token-edits.ts'
import { type TokenRequest, withoutCookies, withoutParams } from '../../policy/token-locations.ts'
import { meshOf, workload } from './material.ts'

const rule = (parts: Partial<JwtRule> = {}): JwtRule => ({
  issuer: 'https://idp',
  audiences: [],
  keys: { kind: 'discovery' },
  fromHeaders: [],
  fromParams: [],
  fromCookies: [],
  forwardOriginalToken: false,
  outputPayloadToHeader: undefined,
  outputClaimToHeaders: [],
  timeoutMs: 5_000,
  spaceDelimitedClaims: [],
  ...parts,
})

/** A token that says itself what its check will find. */
const token = (claims: object, fault?: TokenFault) =>
  `e30.${Buffer.from(JSON.stringify({ iss: 'https://idp', sub: 'alice', ...claims, fault })).toString('base64url')}.c2ln`

const verify: VerifyToken = async (_, jwt) => {
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
  return claims.fault === undefined
    ? { kind: 'valid', claims }
    : { kind: 'refused', fault: claims.fault }
}

const asking = (
  headers: Record<string, string | string[]>,
  parts: Partial<TokenRequest> = {},
): TokenRequest => ({
  method: 'GET',
  scheme: 'https',
  host: 'cart.example',
  target: '/basket?x=1',
  headerLines: (name) => [headers[name] ?? []].flat(),
  ...parts,
})
const bearer = (jwt: string) => asking({ authorization: `Bearer ${jwt}` })
const judge = (request: TokenRequest, ...rules: JwtRule[]) =>
  authenticateRequest(rules, request, verify)

describe('a request', () => {
  test('without a token passes without a principal', async () => {
    expect(await judge(asking({}), rule())).toEqual({ kind: 'none' })
    expect(await judge(asking({ authorization: 'Basic eDp5' }), rule())).toEqual({ kind: 'none' })
  })

  test('with a token at a place that no rule names passes without a principal', async () => {
    const elsewhere = rule({ fromHeaders: [{ name: 'X-Token', prefix: '' }] })
    expect(await judge(bearer(token({})), elsewhere)).toEqual({ kind: 'none' })
  })

  test('with a good token has its claims, whole', async () => {
    expect(await judge(bearer(token({ realm: { roles: ['a'] } })), rule())).toMatchObject({
      kind: 'valid',
      token: { issuer: 'https://idp', subject: 'alice', claims: { realm: { roles: ['a'] } } },
    })
  })

  test.each([
    ['expired', 401, 'Jwt is expired'],
    ['not-yet-valid', 401, 'Jwt not yet valid'],
    ['signature', 401, 'Jwt verification fails'],
    ['no-matching-key', 401, "Jwks doesn't have key to match kid or alg from Jwt"],
    ['keys-unavailable', 401, 'Jwks remote fetch is failed'],
    ['audience', 403, 'Audiences in Jwt are not allowed'],
  ] as const)('with a token that is %s is refused with %i and %s', async (fault, status, body) => {
    expect(await judge(bearer(token({}, fault)), rule())).toEqual({
      kind: 'refused',
      status,
      body,
      wwwAuthenticate: 'Bearer realm="https://cart.example/basket", error="invalid_token"',
    })
  })

  test.each([
    'nonsense',
    'a.b',
    'a.b.c',
    `a.${Buffer.from('[]').toString('base64url')}.c`,
    token({ iss: 5 }),
    '',
  ])('with something that is no token is refused: %s', async (jwt) => {
    expect(await judge(bearer(jwt), rule())).toMatchObject({ kind: 'refused', status: 401 })
  })

  test('with a token of an issuer that nobody knows is refused', async () => {
    expect(await judge(bearer(token({ iss: 'https://else' })), rule())).toMatchObject({
      status: 401,
      body: 'Jwt issuer is not configured',
    })
  })

  test('with a token of the second issuer is judged by the second rule, also when it refuses', async () => {
    const rules = [rule(), rule({ issuer: 'https://other' })]
    expect(await judge(bearer(token({ iss: 'https://other' })), ...rules)).toMatchObject({
      kind: 'valid',
    })
    expect(await judge(bearer(token({ iss: 'https://other' }, 'expired')), ...rules)).toMatchObject(
      {
        body: 'Jwt is expired',
      },
    )
  })

  test('with two tokens at the places of a rule is refused when one of them is bad', async () => {
    const both = rule({ fromHeaders: [{ name: 'a', prefix: '' }], fromCookies: ['t'] })
    const request = (worth?: TokenFault) =>
      asking({ a: token({}), cookie: `x=y; t=${token({}, worth)}` })
    expect(await judge(request(), both)).toMatchObject({ kind: 'valid' })
    expect(await judge(request('expired'), both)).toMatchObject({ kind: 'refused' })
  })

  test('with more tokens than anybody needs is refused before one is checked', async () => {
    const lines = new Array(17).fill(`Bearer ${token({})}`)
    expect(await judge(asking({ authorization: lines }), rule())).toMatchObject({ kind: 'refused' })
  })

  test('that is a preflight passes with any token, and an OPTIONS that is none does not', async () => {
    const headers = {
      authorization: `Bearer ${token({}, 'expired')}`,
      origin: 'https://a',
      'access-control-request-method': 'PUT',
    }
    expect(await judge(asking(headers, { method: 'OPTIONS' }), rule())).toEqual({ kind: 'none' })
    expect(
      await judge(asking({ ...headers, origin: [] }, { method: 'OPTIONS' }), rule()),
    ).toMatchObject({ status: 401 })
    expect(await judge(asking(headers), rule())).toMatchObject({ status: 401 })
  })

  test('cannot write into the header of its refusal', async () => {
    const evil = asking(
      { authorization: 'Bearer x' },
      { host: 'a"\r\nset-cookie: b=c', target: `/${'x'.repeat(999)}` },
    )
    const outcome = await judge(evil, rule())
    const header = outcome.kind === 'refused' ? outcome.wwwAuthenticate : ''
    expect(header).toMatch(/^Bearer realm="[^"\r\n]{1,256}", error="invalid_token"$/)
  })
})

describe('requestEdits', () => {
  const outputs = rule({
    outputPayloadToHeader: 'X-Payload',
    outputClaimToHeaders: [
      { header: 'x-sub', claim: 'sub' },
      { header: 'x-role', claim: 'realm.role' },
      { header: 'x-level', claim: 'level' },
      { header: 'x-list', claim: 'list' },
      { header: 'x-evil', claim: 'evil' },
      { header: 'x-proto', claim: '__proto__.toString' },
    ],
  })
  const edits = async (request: TokenRequest, ...rules: JwtRule[]) => {
    const outcome = await judge(request, ...rules)
    if (outcome.kind === 'refused') throw new Error(outcome.body)
    return requestEdits(rules, outcome)
  }

  test('take a client’s copies of our headers away even when no token came', async () => {
    const { removeHeaders, setHeaders } = await edits(asking({ 'x-sub': 'admin' }), outputs)
    expect(removeHeaders).toEqual([
      'x-payload',
      'x-sub',
      'x-role',
      'x-level',
      'x-list',
      'x-evil',
      'x-proto',
    ])
    expect(setHeaders).toEqual([])
  })

  test('write claims that are text, whole numbers or booleans, and take the token away', async () => {
    const jwt = token({ realm: { role: 'r' }, level: 5, list: ['a'], evil: 'a\r\nb: c' })
    const { removeHeaders, setHeaders } = await edits(bearer(jwt), outputs)
    expect(setHeaders).toEqual([
      ['x-payload', jwt.split('.')[1]],
      ['x-sub', 'alice'],
      ['x-role', 'r'],
      ['x-level', '5'],
    ])
    expect(removeHeaders).toContain('authorization')
  })

  test('leave the token where the rule says so', async () => {
    const { removeHeaders } = await edits(bearer(token({})), rule({ forwardOriginalToken: true }))
    expect(removeHeaders).toEqual([])
  })

  test('take a token out of the query or of the cookies, and nothing else', async () => {
    const jwt = token({})
    const inQuery = asking({}, { target: `/b?a=1&access_token=${jwt}&access_token_2=x` })
    const { removeParams } = await edits(inQuery, rule())
    expect(withoutParams(inQuery.target, removeParams)).toBe('/b?a=1&access_token_2=x')
    const inCookie = asking({ cookie: `a=1; t=${jwt}; b="2"` })
    const { removeCookies } = await edits(inCookie, rule({ fromCookies: ['t'] }))
    expect(withoutCookies(`a=1; t=${jwt}; b="2"`, removeCookies)).toBe('a=1; b="2"')
    expect(withoutCookies(`t=${jwt}`, removeCookies)).toBeUndefined()
    expect(withoutParams(`/b?access_token=${jwt}`, removeParams)).toBe('/b')
  })
})

test('the rules of all policies are one list by issuer, and there are none where nobody sees requests', () => {
  const authentication = (name: string, issuer: string, labels = {}) => ({
    namespace: 'shop',
    name,
    attachment: { kind: 'selector', labels } as const,
    jwtRules: [rule({ issuer })],
  })
  const snapshot = meshOf({
    requestAuthentications: [
      authentication('b', 'b'),
      authentication('a', 'a'),
      authentication('c', 'c', { app: 'orders' }),
    ],
  })
  const issuers = (kind: 'sidecar-http' | 'sidecar-tcp' | 'ztunnel') =>
    jwtRulesFor(snapshot, workload, { kind }).map(({ issuer }) => issuer)
  expect(issuers('sidecar-http')).toEqual(['a', 'b'])
  expect(issuers('sidecar-tcp')).toEqual([])
  expect(issuers('ztunnel')).toEqual([])
})
