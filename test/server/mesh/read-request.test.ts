import { Metadata } from '@grpc/grpc-js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIstioIdentity } from '../../../server/mesh/istio-ca/istio-identity.ts'
import {
  readBearer,
  readClusterId,
  readImpersonated,
  readValidity,
  refuseSigner,
} from '../../../server/mesh/istio-ca/read-request.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

const trustDomain = parseTrustDomain('example.org')
const headers = (...pairs: readonly (readonly [string, string])[]) => {
  const metadata = new Metadata()
  for (const [name, value] of pairs) metadata.add(name, value)
  return metadata
}
const fields = (name: string, value: object) => ({ fields: { [name]: value } })

test('the token is the one bearer token, and nothing is guessed at', () => {
  expect(readBearer(headers(['authorization', 'Bearer abc.def']))).toBe('abc.def')
  for (const bad of [
    headers(),
    headers(['authorization', 'abc']),
    headers(['authorization', 'bearer abc']),
    headers(['authorization', 'Bearer ']),
    headers(['authorization', 'Bearer a b']),
    headers(['authorization', 'Basic abc']),
    headers(['authorization', `Bearer ${'a'.repeat(16_385)}`]),
    headers(['authorization', 'Bearer a'], ['authorization', 'Bearer b']),
  ]) {
    expect(() => readBearer(bad)).toThrow(IdentityError)
  }
})

test('the cluster is named once or not at all', () => {
  expect(readClusterId(headers())).toBe('')
  expect(readClusterId(headers(['clusterid', 'Kubernetes']))).toBe('Kubernetes')
  expect(() => readClusterId(headers(['clusterid', 'a'], ['clusterid', 'b']))).toThrow(
    /more than one/,
  )
  expect(() => readClusterId(headers(['clusterid', 'a'.repeat(254)]))).toThrow(/at most 253/)
})

test('another identity is asked for by a text; anything else in its place is refused', () => {
  const text = (stringValue: string) => ({ kind: 'stringValue', stringValue }) as const
  expect(readImpersonated(null)).toBeUndefined()
  expect(readImpersonated(fields('ImpersonatedIdentity', text('')))).toBeUndefined()
  expect(readImpersonated(fields('ImpersonatedIdentity', text('x')))).toBe('x')
  const number = { kind: 'numberValue', numberValue: 1 } as const
  expect(() => readImpersonated(fields('ImpersonatedIdentity', number))).toThrow(/not a string/)
  expect(() => readImpersonated(fields('ImpersonatedIdentity', {}))).toThrow(/not a string/)
})

test('there is no signer to choose', () => {
  refuseSigner(null)
  refuseSigner(fields('CertSigner', { kind: 'stringValue', stringValue: '' }))
  const named = fields('CertSigner', { kind: 'stringValue', stringValue: 'acme' })
  expect(() => refuseSigner(named)).toThrow(/no cert signer "acme"/)
})

test('a life is cut to the longest, and what is no life is refused', () => {
  const limits = { defaultSeconds: 86_400, maxSeconds: 7_200 }
  expect(readValidity(0, { ...limits, maxSeconds: 90_000 })).toBe(86_400)
  expect(readValidity(0, limits)).toBe(7_200)
  expect(readValidity(60, limits)).toBe(60)
  expect(readValidity(86_400, limits)).toBe(7_200)
  for (const bad of [-1, -86_400, 2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63), Number.NaN]) {
    expect(() => readValidity(bad, limits)).toThrow(/validity_duration/)
  }
})

test('no text but the five parts of our own trust domain is an identity', () => {
  const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/)
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom('', 'spiffe://', 'spiffe://example.org/ns/a/sa/'),
      (text, start) => {
        try {
          const { id, account } = parseIstioIdentity(start + text, trustDomain)
          expect(id).toBe(`spiffe://example.org/ns/${account.namespace}/sa/${account.name}`)
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      },
    ),
  )
  fc.assert(
    fc.property(
      name,
      name,
      fc.constantFrom('other.org', 'example.org.evil', 'EXAMPLE.ORG'),
      (ns, sa, domain) => {
        const foreign = `spiffe://${domain}/ns/${ns}/sa/${sa}`
        expect(() => parseIstioIdentity(foreign, trustDomain)).toThrow(IdentityError)
      },
    ),
  )
})
