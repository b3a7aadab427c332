import { expect, test } from 'vitest'
import { answer, type KeySet, type ProviderSettings, type Question } from '../../oidc/answer.ts'

const settings: ProviderSettings = {
  domains: ['oidc.example.org', 'b.org'],
  jwtIssuer: undefined,
  jwksUri: undefined,
  pathPrefix: '',
  allowsHttp: false,
}
const known: KeySet = { kind: 'known', body: '{"keys":[]}', modifiedAt: new Date('2026-01-01Z') }

const ask = (
  question: Partial<Question>,
  keys: KeySet = known,
  changes: Partial<ProviderSettings> = {},
) =>
  answer(
    {
      ...{ method: 'GET', path: '/.well-known/openid-configuration' },
      ...{ host: 'oidc.example.org', isHttps: true, ...question },
    },
    keys,
    { ...settings, ...changes },
  )

test('the discovery document names the host that was asked, with its port', () => {
  const { status, body } = ask({ host: 'oidc.example.org:8443' })
  expect(status).toBe(200)
  expect(JSON.parse(body)).toEqual({
    issuer: 'https://oidc.example.org:8443',
    jwks_uri: 'https://oidc.example.org:8443/keys',
    authorization_endpoint: '',
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'ES384'],
  })
})

test('a configured issuer and key address stand whoever asked', () => {
  const { body } = ask({ host: 'b.org' }, known, {
    jwtIssuer: 'https://iss.example',
    jwksUri: 'https://keys.example/k',
  })
  expect(JSON.parse(body)).toMatchObject({
    issuer: 'https://iss.example',
    jwks_uri: 'https://keys.example/k',
  })
})

test('documents name http only where that was allowed', () => {
  const issuerOver = (allowsHttp: boolean) =>
    JSON.parse(ask({ isHttps: false }, known, { allowsHttp }).body).issuer
  expect(issuerOver(false)).toBe('https://oidc.example.org')
  expect(issuerOver(true)).toBe('http://oidc.example.org')
})

test('behind a prefix nothing is served before it', () => {
  const prefix = { pathPrefix: '/oidc' }
  expect(ask({}, known, prefix).status).toBe(404)
  const { status, body } = ask({ path: '/oidc/.well-known/openid-configuration' }, known, prefix)
  expect(status).toBe(200)
  expect(JSON.parse(body).jwks_uri).toBe('https://oidc.example.org/oidc/keys')
  expect(ask({ path: '/oidc/keys' }, known, prefix).body).toBe('{"keys":[]}')
})

test('nobody may keep the keys, and everybody may read them', () => {
  const { status, headers } = ask({ path: '/keys', host: 'anything' })
  expect(status).toBe(200)
  expect(headers).toMatchObject({
    'cache-control': 'no-cache, no-store, must-revalidate',
    'access-control-allow-origin': '*',
    'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
  })
})

test.for([
  [
    'a host that is none of the domains',
    { host: 'evil.org' },
    400,
    'domain "evil.org" is not allowed',
  ],
  ['a domain with something behind it', { host: 'b.org.evil.org' }, 400, 'is not allowed'],
  ['a domain in other letters', { host: 'OIDC.example.org' }, 400, 'is not allowed'],
  ['no host', { host: '' }, 400, 'is not allowed'],
  ['another path', { path: '/' }, 404, '404 page not found'],
  ['a path that goes on', { path: '/keys/1' }, 404, '404 page not found'],
  ['another method', { method: 'POST' }, 405, 'method not allowed'],
  ['HEAD of the keys', { method: 'HEAD', path: '/keys' }, 405, 'method not allowed'],
] as const)('refuses %s', ([, question, status, text]) => {
  const refusal = ask(question)
  expect(refusal.status).toBe(status)
  expect(refusal.body).toContain(text)
})

test('before any keys were read nothing is claimed to be the key set', () => {
  expect(ask({ path: '/keys' }, { kind: 'unknown' })).toMatchObject({ status: 500 })
  expect(ask({ path: '/keys' }, { kind: 'none' })).toMatchObject({ status: 501 })
})
