import { expect, test } from 'vitest'
import { runVectors } from '../../../policy/vectors/run-vectors.ts'

const policy = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'none', namespace: 'shop' },
  spec: {},
}
const decision = {
  id: 'X1',
  engine: 'http',
  policies: ['none'],
  destination: { namespace: 'shop' },
  request: { source: { ip: '10.1.2.3' }, destination: { ip: '10.2.3.4', port: 80 } },
  expect: {
    decision: 'deny',
    why: 'no-allow-matched',
    httpStatus: 403,
    body: 'RBAC: access denied',
  },
}

test('a vector that comes out as expected has passed', async () => {
  expect(await runVectors({ policies: { none: policy }, cases: [decision] })).toEqual([
    { section: 'cases', id: 'X1', title: '', kind: 'passed' },
  ])
})

test('a vector that comes out otherwise is told with both values', async () => {
  const cases = [{ ...decision, expect: { decision: 'allow', why: 'no-allow-matched' } }]
  expect(await runVectors({ policies: { none: policy }, cases })).toMatchObject([
    { kind: 'failed', differences: ['decision: expected "allow", found "deny"'] },
  ])
})

test('a vector with a policy that there is not, or that cannot be read, has failed', async () => {
  const broken = { ...policy, spec: { rule: [] } }
  expect(await runVectors({ cases: [decision] })).toMatchObject([{ kind: 'failed' }])
  expect(await runVectors({ cases: [{ ...decision, policies: [broken] }] })).toMatchObject([
    { kind: 'failed', differences: [expect.stringContaining('spec.rule')] },
  ])
})

test('a wrong path or validation has failed', async () => {
  const results = await runVectors({
    pathNormalizationCases: [
      { option: 'BASE', in: '/a/../b', out: '/a' },
      { option: 'BASE', in: '/%00' },
    ],
    validationCases: [
      { id: 'V', object: policy, expect: 'reject' },
      { id: 'W', object: { kind: 'Pod' }, expect: 'reject' },
    ],
    peerAuthenticationCases: [
      {
        id: 'P',
        workload: { namespace: 'shop', labels: {} },
        policies: [],
        expect: { mode: 'STRICT' },
      },
    ],
  })
  expect(results.map(({ kind }) => kind)).toEqual([
    'failed',
    'failed',
    'failed',
    'failed',
    'passed',
  ])
})

test('a story about tokens whose words are not known is skipped by name', async () => {
  const requestAuthenticationCases = [{ id: 'J', token: 'made of gold', expect: { status: 200 } }]
  expect(await runVectors({ requestAuthenticationCases })).toMatchObject([
    { kind: 'skipped', why: expect.stringContaining('made of gold') },
  ])
})

test.each([null, [], { cases: 5 }, { policies: [] }])(
  'a document of another form is refused: %j',
  async (document) => {
    await expect(runVectors(document)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  },
)

test.each([
  [{}, 'number 0'],
  [{ ...decision, colour: 'red' }, 'X1'],
  [{ ...decision, engine: 'x' }, 'X1'],
])('a case of another form is skipped and the others are run: %j', async (odd, id) => {
  expect(await runVectors({ policies: { none: policy }, cases: [odd, decision] })).toMatchObject([
    { id, kind: 'skipped' },
    { id: 'X1', kind: 'passed' },
  ])
})
