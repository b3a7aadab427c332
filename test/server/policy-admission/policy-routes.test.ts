import { expect, test } from 'vitest'
import type { AdmissionRequest } from '../../../server/admission/routes.ts'
import { POLICY_PATH, policyRoutes } from '../../../server/policy-admission/policy-routes.ts'
import { mesh } from '../../proxy/mesh.ts'

const { signal } = new AbortController()

async function ask(spec: unknown, change: Partial<AdmissionRequest> = {}, known = true) {
  const request: AdmissionRequest = {
    ...{ uid: '1', operation: 'CREATE', namespace: 'shop', name: 'a', username: 'me' },
    kind: { group: 'security.istio.io', version: 'v1', kind: 'AuthorizationPolicy' },
    ...{ resource: 'authorizationpolicies', isDryRun: false, oldObject: undefined },
    object: { apiVersion: 'security.istio.io/v1', metadata: { name: 'a' }, spec },
    ...change,
  }
  return await policyRoutes(known ? mesh : undefined).get(POLICY_PATH)?.(request, signal)
}

const BAD = { action: 'FORBID', rules: [{ from: [{ source: { ipBlocks: ['10.0.0.0/99'] } }] }] }
const PREFIXED = {
  rules: [{ from: [{ source: { principals: ['spiffe://example.org/ns/shop/sa/web'] } }] }],
}

test('a policy that no proxy would read is refused, with every mistake at its field', async () => {
  expect(await ask(BAD)).toEqual({
    kind: 'deny',
    message: expect.stringMatching(
      /^spec\.action: .*; spec\.rules\[0\]\.from\[0\]\.source\.ipBlocks: /,
    ),
  })
  expect(await ask(BAD, { operation: 'UPDATE', name: '' })).toMatchObject({ kind: 'deny' })
  expect(await ask('text')).toMatchObject({ kind: 'deny' })
})

test('what looks right and matches nothing is taken, with a warning at its field', async () => {
  expect(await ask(PREFIXED)).toMatchObject({
    kind: 'allow',
    warnings: [expect.stringMatching(/^spec\.rules\[0\]\.from\[0\]\.source\.principals: /)],
  })
  expect(await ask(PREFIXED, {}, false)).toMatchObject({ kind: 'allow', warnings: [] })
})

test('a policy that is too long to be looked at is taken unseen, and one that cannot be read is refused', async () => {
  const rules = Array.from({ length: 65 }, () => PREFIXED.rules[0])
  const seen = { kind: 'allow', warnings: [expect.stringMatching(/^the policy is too long /)] }
  expect(await ask({ rules })).toMatchObject(seen)
  const paths = Array.from({ length: 8_000 }, (_, index) => `/path-${index}`)
  expect(await ask({ rules: [{ to: [{ operation: { paths } }] }] })).toMatchObject(seen)
  expect(await ask({ action: 'FORBID', rules })).toMatchObject({ kind: 'deny' })
})

test('what only other policies could tell is no warning about one of them', async () => {
  const source = { requestPrincipals: ['https://issuer.example/*'] }
  expect(await ask({ rules: [{ from: [{ source }] }] })).toMatchObject({ warnings: [] })
})

test.each([
  [
    'an object of another group',
    { kind: { group: 'example.org', version: 'v1', kind: 'AuthorizationPolicy' } },
  ],
  [
    'another kind of the group',
    { kind: { group: 'security.istio.io', version: 'v1', kind: 'toString' } },
  ],
  ['the end of a policy', { operation: 'DELETE', object: undefined }],
])('%s is not looked at', async (_, change) => {
  expect(await ask(BAD, change)).toMatchObject({ kind: 'allow', warnings: [] })
})
