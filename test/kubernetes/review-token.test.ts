import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ClusterRequest } from '../../kubernetes/cluster.ts'
import {
  parseServiceAccountName,
  readTokenReview,
  reviewToken,
} from '../../kubernetes/review-token.ts'
import { IdentityError } from '../../spiffe/error.ts'

const user = {
  username: 'system:serviceaccount:spire:agent',
  uid: 'u1',
  groups: ['system:serviceaccounts', 'system:authenticated'],
  extra: { 'authentication.kubernetes.io/pod-name': ['agent-x'] },
}
const authenticated = { authenticated: true, audiences: ['spire-server'], user }

async function review(status: unknown, audiences: readonly string[] = ['spire-server']) {
  const requests: ClusterRequest[] = []
  const request = async (asked: ClusterRequest) => {
    requests.push(asked)
    return { status }
  }
  return { answer: await reviewToken({ request }, 't0ken', audiences), requests }
}

test('asks the API server for the audiences, and tells who it is', async () => {
  const { answer, requests } = await review(authenticated)
  expect(requests).toEqual([
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token: 't0ken', audiences: ['spire-server'] },
      },
    },
  ])
  expect(answer).toEqual({
    kind: 'authenticated',
    ...user,
    audiences: ['spire-server'],
    extra: new Map(Object.entries(user.extra)),
  })
})

test('without audiences asks for the API server’s own, whatever they are called', async () => {
  const { answer, requests } = await review({ ...authenticated, audiences: ['https://k8s'] }, [])
  expect(requests[0]?.body).toMatchObject({ spec: { token: 't0ken' } })
  expect(requests[0]?.body).not.toHaveProperty('spec.audiences')
  expect(answer).toMatchObject({ kind: 'authenticated', audiences: ['https://k8s'] })
})

test('one audience of several is enough', async () => {
  const { answer } = await review(authenticated, ['other', 'spire-server'])
  expect(answer.kind).toBe('authenticated')
})

test.for([
  ['says no', { authenticated: false }, undefined],
  ['gives a reason', { authenticated: false, error: 'expired' }, 'expired'],
  ['says yes and gives a reason all the same', { ...authenticated, error: 'hm' }, 'hm'],
  ['says nothing', undefined, undefined],
  ['says something else than yes', { ...authenticated, authenticated: 'true' }, undefined],
  [
    'knows nothing of audiences',
    { ...authenticated, audiences: undefined },
    'the token is for none of the audiences ["spire-server"], but for []',
  ],
  [
    'names another audience',
    { ...authenticated, audiences: ['spire'] },
    'the token is for none of the audiences ["spire-server"], but for ["spire"]',
  ],
] as const)('nobody is authenticated when the API server %s', async ([, status, error]) => {
  expect((await review(status)).answer).toEqual({ kind: 'unauthenticated', error })
})

test('a refusal of the API server goes on as it is', async () => {
  const refusal = new IdentityError('NOT_AUTHORIZED', 'forbidden')
  const asking = reviewToken({ request: () => Promise.reject(refusal) }, 't0ken', [])
  await expect(asking).rejects.toBe(refusal)
})

test('whatever an API server answers, only a plain yes for the audience is one', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (answer) => {
      const read = readTokenReview({ status: answer }, ['spire-server'])
      const plain =
        typeof answer === 'object' &&
        answer !== null &&
        'authenticated' in answer &&
        answer.authenticated === true
      expect(read.kind === 'unauthenticated' || plain).toBe(true)
    }),
  )
})

test('extras keep every value, also under names that objects have', () => {
  const extra = { constructor: ['a', 'b'], toString: 'no list', numbers: [1, 'x'] }
  const read = readTokenReview({ status: { ...authenticated, user: { ...user, extra } } }, [])
  if (read.kind !== 'authenticated') throw new Error(read.error)
  expect([...read.extra]).toEqual([
    ['constructor', ['a', 'b']],
    ['toString', []],
    ['numbers', ['x']],
  ])
  expect(read.extra.get('valueOf')).toBeUndefined()
})

test('the name of a service account has a namespace and a name', () => {
  expect(parseServiceAccountName('system:serviceaccount:spire:agent')).toEqual({
    namespace: 'spire',
    name: 'agent',
  })
})

test.for([
  '',
  'admin',
  'system:node:node1',
  'system:serviceaccount:spire',
  'system:serviceaccount:spire:',
  'system:serviceaccount::agent',
  'system:serviceaccount:a:b:c',
  'evil:serviceaccount:spire:agent',
  'xsystem:serviceaccount:spire:agent',
])('%j is no service account', (username) => {
  expect(parseServiceAccountName(username)).toBeUndefined()
})
