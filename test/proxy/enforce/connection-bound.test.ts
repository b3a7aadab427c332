import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileAuthorization } from '../../../policy/compile.ts'
import { decide } from '../../../policy/decide.ts'
import { parseAuthorizationPolicy } from '../../../policy/parse-authorization-policy.ts'
import { connectionBound } from '../../../proxy/enforce/connection-bound.ts'
import { readPolicies } from '../../../proxy/policy-source/read-policies.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { drawnPolicies } from '../../interop/rbac/drawn-policies.ts'
import {
  connectionFacts,
  drawnConnection,
  drawnRequest,
  requestFacts,
} from '../../interop/rbac/drawn-requests.ts'
import { mesh, workload } from '../mesh.ts'

const facts = {
  peer: parseSpiffeId('spiffe://example.org/ns/shop/sa/web'),
  ...{ sourceIp: '10.0.0.1', remoteIp: '10.0.0.1', destinationIp: '10.0.0.2' },
  ...{ destinationPort: 8080, sni: undefined },
}

/** @param spec of one policy */
function verdictOf(spec: string): string {
  const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p, namespace: shop }
spec: ${spec}
`
  const { snapshot } = readPolicies([{ name: 'p', text }], mesh)
  expect(snapshot.authorizationPolicies).toHaveLength(1)
  const compiled = compileAuthorization(connectionBound(snapshot), workload, {
    kind: 'sidecar-tcp',
  })
  return decide(compiled, facts).kind
}

const from = (sa: string) => `from: [{ source: { principals: ["*/sa/${sa}"] } }]`

test.each([
  ['a DENY rule about the caller', `{ action: DENY, rules: [{ ${from('web')} }] }`],
  ['a DENY rule about everything', '{ action: DENY, rules: [{}] }'],
  [
    'a DENY rule about the port',
    '{ action: DENY, rules: [{ to: [{ operation: { ports: ["8080"] } }] }] }',
  ],
  ['no ALLOW rule about the caller', `{ action: ALLOW, rules: [{ ${from('api')} }] }`],
  [
    'no ALLOW rule about the caller, whatever it asks for',
    `{ action: ALLOW, rules: [{ ${from('api')}, to: [{ operation: { paths: [/a] } }] }] }`,
  ],
  ['an ALLOW policy without rules', '{ action: ALLOW }'],
  [
    'another address',
    '{ action: ALLOW, rules: [{ from: [{ source: { ipBlocks: ["10.9.0.0/16"] } }], when: [{ key: "request.headers[a]", values: [b] }] }] }',
  ],
])('denied whatever comes: %s', (_, spec) => {
  expect(verdictOf(spec)).toBe('deny')
})

test.each([
  [
    'a DENY rule about a path',
    '{ action: DENY, rules: [{ to: [{ operation: { paths: [/admin] } }] }] }',
  ],
  [
    'a DENY rule about the caller and a method',
    `{ action: DENY, rules: [{ ${from('web')}, to: [{ operation: { methods: [POST] } }] }] }`,
  ],
  [
    'a DENY rule about what is not asked for',
    '{ action: DENY, rules: [{ to: [{ operation: { notPaths: [/open] } }] }] }',
  ],
  [
    'a DENY rule about a token',
    '{ action: DENY, rules: [{ from: [{ source: { notRequestPrincipals: ["*"] } }] }] }',
  ],
  [
    'a DENY rule about a header',
    '{ action: DENY, rules: [{ when: [{ key: "request.headers[a]", values: [b] }] }] }',
  ],
  [
    'a DENY rule about an address that a header may say',
    '{ action: DENY, rules: [{ from: [{ source: { remoteIpBlocks: ["10.0.0.0/8"] } }] }] }',
  ],
  [
    'an ALLOW rule about the caller and a path',
    `{ action: ALLOW, rules: [{ ${from('web')}, to: [{ operation: { paths: [/a] } }] }] }`,
  ],
  [
    'an ALLOW rule about a token alone',
    '{ action: ALLOW, rules: [{ from: [{ source: { requestPrincipals: ["*"] } }] }] }',
  ],
  ['an AUDIT rule', '{ action: AUDIT, rules: [{}] }'],
])('to be judged when it is known what comes: %s', (_, spec) => {
  expect(verdictOf(spec)).toBe('allow')
})

test('what it denies is denied for every request and every stream of bytes', () => {
  fc.assert(
    fc.property(drawnPolicies, drawnRequest, drawnConnection, (written, request, drawn) => {
      const authorizationPolicies = written.map((one) => {
        const parsed = parseAuthorizationPolicy(one)
        if (parsed.kind === 'faults') throw new Error(JSON.stringify(parsed.faults))
        return parsed.policy
      })
      const snapshot = {
        ...{ mesh, authorizationPolicies, peerAuthentications: [], requestAuthentications: [] },
      }
      const asked = connectionFacts(drawn)
      const tcp = { kind: 'sidecar-tcp' } as const
      const bound = compileAuthorization(connectionBound(snapshot), workload, tcp)
      fc.pre(decide(bound, asked).kind === 'deny')
      const http = compileAuthorization(snapshot, workload, { kind: 'sidecar-http' })
      expect(decide(http, requestFacts(drawn, request, request.target)).kind).toBe('deny')
      expect(decide(compileAuthorization(snapshot, workload, tcp), asked).kind).toBe('deny')
    }),
  )
})
