import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AuthorizationPolicy } from '../../../policy/authorization-policy.ts'
import type { Finding } from '../../../policy/lint/finding.ts'
import { parseAuthorizationPolicy } from '../../../policy/parse-authorization-policy.ts'
import { policy } from '../material.ts'
import { allow, cart, findings, operation, peers, source, tokens, when } from './material.ts'

test('policies as they should be are left alone', () => {
  const found = findings(
    {
      authorizationPolicies: [
        policy('front', {
          selector: { matchLabels: { app: 'cart' } },
          rules: [
            {
              ...source({ principals: ['cluster.local/ns/web/sa/front'] }),
              ...operation({
                methods: ['GET'],
                paths: ['/basket', '/basket/{*}'],
                ports: ['8080'],
              }),
            },
            {
              ...source({ requestPrincipals: ['https://idp.example/*'] }),
              ...operation({ hosts: ['cart.example', 'cart.example:*'] }),
              ...when('request.auth.claims[groups]', ['staff']),
            },
          ],
        }),
        policy('no-admin', {
          action: 'DENY',
          rules: [operation({ paths: ['/admin', '/admin/*', '/admin;*'], ports: ['8080'] })],
        }),
      ],
      peerAuthentications: [peers('strict', { mtls: { mode: 'STRICT' } })],
      requestAuthentications: [tokens({ jwtRules: [{ issuer: 'https://idp.example' }] })],
    },
    {
      workloads: [cart([{ port: 8080, protocol: 'http' }])],
      knowsAllWorkloads: true,
      knowsProviders: true,
    },
  )
  expect(found).toEqual([])
})

test('findings come by object and rule, of one rule the worst first', () => {
  const two = allow(operation({ hosts: ['a.example'] }), {
    ...source({ principals: ['spiffe://x'], ipBlocks: ['10.0.0.1/8'] }),
    ...operation({ hosts: ['b.example'] }),
  })
  const found = findings({ authorizationPolicies: [two, policy('a', { rules: [{}] })] })
  expect(found.map((one) => `${one.policy.name}#${one.rule} ${one.severity}`)).toEqual([
    'a#0 info',
    'p#0 warning',
    'p#0 warning',
    'p#1 error',
    'p#1 warning',
    'p#1 warning',
    'p#1 info',
  ])
})

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc
    .array(
      fc.constantFrom(
        '/',
        '*',
        '{*}',
        '{**}',
        ':',
        'a',
        '%41',
        'spiffe://',
        'ns',
        'sa',
        '?',
        '..',
        ';',
      ),
      { minLength: 1, maxLength: 8 },
    )
    .map((parts) => parts.join('')),
)
const texts = fc.array(text, { maxLength: 3 })
const fields = (...names: readonly string[]) =>
  fc.record(Object.fromEntries(names.map((name) => [name, texts])), { requiredKeys: [] })
const rules = fc.array(
  fc.record(
    {
      from: fc.array(
        fields(
          'principals',
          'notPrincipals',
          'namespaces',
          'requestPrincipals',
          'notRequestPrincipals',
        ).map((one) => ({ source: one })),
        { maxLength: 2 },
      ),
      to: fc.array(
        fields('hosts', 'notHosts', 'paths', 'notPaths', 'methods').map((one) => ({
          operation: one,
        })),
        { maxLength: 2 },
      ),
      when: fc.array(
        fc.record({
          key: fc.constantFrom(
            'request.headers[a]',
            'source.principal',
            'request.auth.claims[sub]',
            'connection.sni',
          ),
          values: texts,
          notValues: texts,
        }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: [] },
  ),
  { minLength: 1, maxLength: 4 },
)

const isWellSaid = ({ what, instead }: Finding): boolean =>
  [what, instead].every((said) => said.length > 5 && !/[.]$/.test(said) && !/^[A-Z]/.test(said))

test('any policy that is accepted can be judged, and every finding says what to write', () => {
  let accepted = 0
  fc.assert(
    fc.property(fc.constantFrom('ALLOW', 'DENY', 'AUDIT'), rules, (action, written) => {
      const authorizationPolicies: AuthorizationPolicy[] = []
      for (const rule of written) {
        const parsed = parseAuthorizationPolicy({
          apiVersion: 'security.istio.io/v1',
          kind: 'AuthorizationPolicy',
          metadata: { name: `p${authorizationPolicies.length}`, namespace: 'shop' },
          spec: { action, rules: [rule] },
        })
        if (parsed.kind === 'policy') authorizationPolicies.push(parsed.policy)
      }
      accepted += authorizationPolicies.length
      for (const one of findings({ authorizationPolicies })) expect(one).toSatisfy(isWellSaid)
    }),
    { numRuns: 500 },
  )
  expect(accepted).toBeGreaterThan(100)
})
