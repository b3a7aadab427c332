import { describe, expect, test } from 'vitest'
import { parsePeerAuthentication } from '../../policy/parse-peer-authentication.ts'
import { parseRequestAuthentication } from '../../policy/parse-request-authentication.ts'
import type { Parsed } from '../../policy/resource.ts'

const object = (kind: string, spec: unknown, metadata: object = {}) => ({
  apiVersion: 'security.istio.io/v1beta1',
  kind,
  metadata: { name: 'v', namespace: 'shop', ...metadata },
  spec,
})
const fields = (parsed: Parsed<unknown>) =>
  parsed.kind === 'faults' ? parsed.faults.map(({ field }) => field) : 'accepted'
const peer = (spec: unknown, metadata?: object) =>
  fields(parsePeerAuthentication(object('PeerAuthentication', spec, metadata)))
const jwt = (rule: unknown, metadata?: object) =>
  fields(
    parseRequestAuthentication(object('RequestAuthentication', { jwtRules: [rule] }, metadata)),
  )
const selector = { matchLabels: { app: 'cart' } }

describe('a PeerAuthentication', () => {
  test('becomes a mode and modes of ports', () => {
    const spec = {
      selector,
      mtls: { mode: 'STRICT' },
      portLevelMtls: { 80: { mode: 'DISABLE' }, '81': {} },
    }
    const metadata = { creationTimestamp: '2026-01-01T00:00:01Z' }
    expect(parsePeerAuthentication(object('PeerAuthentication', spec, metadata))).toMatchObject({
      policy: {
        mode: 'STRICT',
        labels: { app: 'cart' },
        createdMs: Date.UTC(2026, 0, 1, 0, 0, 1),
        portModes: new Map([
          [80, 'DISABLE'],
          [81, 'UNSET'],
        ]),
      },
    })
  })

  test.each([
    ['a mode that there is not', { mtls: { mode: 'BLAH' } }, ['spec.mtls.mode']],
    ['a mode in lower case', { mtls: { mode: 'strict' } }, ['spec.mtls.mode']],
    ['a field that there is not', { mtls: {}, targetRefs: [] }, ['spec.targetRefs']],
    ['ports without a selector', { portLevelMtls: { 80: {} } }, ['spec.portLevelMtls']],
    [
      'ports with an empty selector',
      { selector: {}, portLevelMtls: { 80: {} } },
      ['spec.portLevelMtls'],
    ],
    ['no ports in the list of ports', { selector, portLevelMtls: {} }, ['spec.portLevelMtls']],
    ['port 0', { selector, portLevelMtls: { 0: {} } }, ['spec.portLevelMtls.0']],
    ['port 65536', { selector, portLevelMtls: { 65536: {} } }, ['spec.portLevelMtls.65536']],
    ['a named port', { selector, portLevelMtls: { http: {} } }, ['spec.portLevelMtls.http']],
  ])('is refused with %s', (_, spec, expected) => {
    expect(peer(spec)).toEqual(expected)
  })

  test('is refused with a dry-run annotation and with a time that is none', () => {
    expect(peer({}, { annotations: { 'istio.io/dry-run': 'false' } })).toHaveLength(1)
    expect(peer({}, { creationTimestamp: 'yesterday' })).toEqual(['metadata.creationTimestamp'])
  })
})

describe('a RequestAuthentication', () => {
  test('becomes rules with their defaults', () => {
    const parsed = parseRequestAuthentication(
      object('RequestAuthentication', { jwtRules: [{ issuer: 'i', timeout: '1m1.5s' }] }),
    )
    expect(parsed).toMatchObject({
      policy: {
        jwtRules: [
          {
            issuer: 'i',
            audiences: [],
            keys: { kind: 'discovery' },
            timeoutMs: 61_500,
            forwardOriginalToken: false,
          },
        ],
      },
    })
  })

  const place = 'spec.jwtRules[0]'
  const keyed = (key: object) => ({ issuer: 'i', jwks: JSON.stringify({ keys: [key] }) })
  test.each([
    ['nothing', null, [place]],
    ['neither issuer nor keys', { audiences: ['a'] }, [place]],
    ['an empty issuer', { issuer: '' }, [`${place}.issuer`, place]],
    ['an empty audience', { issuer: 'i', audiences: [''] }, [`${place}.audiences[0]`]],
    ['keys in a file', { issuer: 'i', jwksUri: 'file:///k' }, [`${place}.jwksUri`]],
    ['keys at no address', { issuer: 'i', jwksUri: 'https://' }, [`${place}.jwksUri`]],
    [
      'keys at an address without end',
      { issuer: 'i', jwksUri: `https://k/${'x'.repeat(2048)}` },
      [`${place}.jwksUri`],
    ],
    ['two sources of keys', { issuer: 'i', jwks: '{"keys":[]}', jwksUri: 'https://k' }, [place]],
    ['keys that are a list', { issuer: 'i', jwks: '[]' }, [`${place}.jwks`]],
    ['a key of no kind', keyed({}), [`${place}.jwks`]],
    ['a key without its numbers', keyed({ kty: 'RSA', n: 'AQ' }), [`${place}.jwks`]],
    [
      'a header without a name',
      { issuer: 'i', fromHeaders: [{ prefix: 'x' }] },
      [`${place}.fromHeaders[0].name`],
    ],
    ['an empty parameter', { issuer: 'i', fromParams: [''] }, [`${place}.fromParams[0]`]],
    ['an empty cookie', { issuer: 'i', fromCookies: [''] }, [`${place}.fromCookies[0]`]],
    [
      'a pseudo header to write',
      { issuer: 'i', outputClaimToHeaders: [{ header: ':authority', claim: 'c' }] },
      [`${place}.outputClaimToHeaders[0].header`],
    ],
    [
      'a claim without a name',
      { issuer: 'i', outputClaimToHeaders: [{ header: 'h' }] },
      [`${place}.outputClaimToHeaders[0].claim`],
    ],
    ['a timeout that is none', { issuer: 'i', timeout: 'apple' }, [`${place}.timeout`]],
    ['a timeout under a millisecond', { issuer: 'i', timeout: '0.5ms' }, [`${place}.timeout`]],
    [
      'a flag as text',
      { issuer: 'i', forwardOriginalToken: 'yes' },
      [`${place}.forwardOriginalToken`],
    ],
    [
      'too many claims',
      { issuer: 'i', spaceDelimitedClaims: new Array(65).fill('c') },
      [`${place}.spaceDelimitedClaims`],
    ],
    ['a field that there is not', { issuer: 'i', presence: 'MANDATORY' }, [`${place}.presence`]],
  ])('is refused with %s', (_, rule, expected) => {
    expect(jwt(rule)).toEqual(expected)
  })

  test('is warned of a private key, whose values nobody sees', () => {
    const secret = 'c2VjcmV0'
    const parsed = parseRequestAuthentication(
      object('RequestAuthentication', {
        jwtRules: [keyed({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: secret })],
      }),
    )
    expect(parsed).toMatchObject({ kind: 'policy', warnings: [{ field: 'spec.jwtRules[0].jwks' }] })
    expect(JSON.stringify(parsed.kind === 'policy' && parsed.warnings)).not.toContain(secret)
  })
})
