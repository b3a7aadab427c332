import { expect, test } from 'vitest'
import type { ClusterRequest } from '../../../kubernetes/cluster.ts'
import type { Entry } from '../../../server/entries/entry.ts'
import type { IssuedX509Svid } from '../../../server/issue/x509-svid.ts'
import {
  type SignRequestsDeps,
  signRequests,
} from '../../../server/pod-certificates/sign-requests.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'
import { Refused, scriptedCluster } from '../../fakes/scripted-cluster.ts'

const csr = createCsr({ key: await generateKey('ec-p256') }).toString('base64')
const LIST = '/apis/certificates.k8s.io/v1beta1/podcertificaterequests'
const STATUS = '/apis/certificates.k8s.io/v1beta1/namespaces/shop/podcertificaterequests/req/status'

const REQUEST = {
  metadata: { name: 'req', namespace: 'shop', uid: 'req-uid', resourceVersion: '5' },
  spec: {
    ...{ signerName: 'a.b/c', podName: 'p', podUID: 'pod-uid', serviceAccountName: 'cart' },
    ...{ nodeName: 'node1', nodeUID: 'node-uid', stubPKCS10Request: csr },
  },
}

const ENTRY: Entry = {
  ...{ id: 'e', spiffeId: parseSpiffeId('spiffe://example.org/cart'), revisionNumber: 0 },
  ...{ parentId: parseSpiffeId('spiffe://example.org/node'), createdAt: new Date(0) },
  selectors: [parseSelector('k8s:ns:shop')],
  ...{ x509SvidTtlSeconds: 0, jwtSvidTtlSeconds: 0, federatesWith: [], dnsNames: [], hint: '' },
  ...{ admin: false, downstream: false, storeSvid: false, disableX509SvidPrefetch: false },
  ...{ jwtSvidIncludeJti: false, expiresAt: undefined },
}

/** A cluster with the pod, its node and one request; `write` answers what is written. */
const withRequest =
  (write: (request: ClusterRequest) => unknown) =>
  (request: ClusterRequest): unknown => {
    const { method, path } = request
    if (method === 'PATCH') return write(request)
    if (path === '/apis/certificates.k8s.io/v1beta1') {
      return { resources: [{ name: 'podcertificaterequests' }] }
    }
    if (path === LIST) return { metadata: { resourceVersion: '9' }, items: [REQUEST] }
    const metadata = { name: 'x', namespace: 'shop', resourceVersion: '1' }
    if (path === '/api/v1/nodes/node1') return { metadata: { ...metadata, uid: 'node-uid' } }
    if (path === '/api/v1/namespaces/shop/pods/p') {
      const spec = { serviceAccountName: 'cart', nodeName: 'node1' }
      return { metadata: { ...metadata, uid: 'pod-uid' }, spec }
    }
    return new Refused(404)
  }

function signing(
  answer: (request: ClusterRequest) => unknown,
  more: Partial<SignRequestsDeps> = {},
) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const cluster = scriptedCluster(answer)
  const { log, lines } = memoryLog()
  const issued = (ttlSeconds: number): IssuedX509Svid => ({
    ...{ chain: [Buffer.from('leaf')], issuedAt: clock.now(), authorityId: 'a' },
    expiresAt: new Date(clock.now().getTime() + ttlSeconds * 1_000),
  })
  const ended = signRequests(
    {
      ...{ trustDomain: parseTrustDomain('example.org'), clusterName: 'demo', template: undefined },
      ...{ defaultTtlSeconds: 3_600, signerName: 'a.b/c', entryWaitSeconds: 10 },
      index: { authorizedFor: () => [ENTRY] },
      privileged: { reasonAgainst: () => undefined },
      issuer: { issueWorkloadX509Svid: async ({ ttlSeconds }) => issued(ttlSeconds) },
      isBanned: async () => false,
      ...{ cluster, clock, log, random: () => 1 },
      ...more,
    },
    stop.signal,
  )
  const written = () => cluster.asked.filter(({ method }) => method === 'PATCH')
  return {
    ...{ clock, cluster, lines, written, issued },
    said: () => lines.map(({ msg }) => msg),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

test('an answer is written once, against the version of the request that was read', async () => {
  await using run = signing(withRequest(() => ({})))
  await expect.poll(run.written).toMatchObject([
    {
      path: STATUS,
      body: {
        metadata: { uid: 'req-uid', resourceVersion: '5' },
        status: { conditions: [{ type: 'Issued' }], notBefore: '2025-12-31T23:59:50Z' },
      },
    },
  ])
  const status = { conditions: [{ type: 'Issued', status: 'True' }] }
  const metadata = { ...REQUEST.metadata, resourceVersion: '10' }
  run.cluster.tell(LIST, { type: 'MODIFIED', object: { ...REQUEST, metadata, status } })
  const next = { ...REQUEST.metadata, name: 'next', uid: 'next-uid', resourceVersion: '11' }
  run.cluster.tell(LIST, { type: 'ADDED', object: { ...REQUEST, metadata: next } })
  await expect.poll(() => run.written().length).toBe(2)
  await run.clock.sleepers(1)
  run.clock.advance(4 * 60_000)
  expect(run.written().map(({ path }) => path.split('/').at(-2))).toEqual(['req', 'next'])
  expect(run.said()).toContain('PodCertificateRequest issued')
})

test('an answer that the watch tells of before its write returns leaves nothing to do', async () => {
  const writing = Promise.withResolvers<object>()
  await using run = signing(withRequest(() => writing.promise))
  await expect.poll(() => run.written().length).toBe(1)
  run.cluster.tell(LIST, { type: 'DELETED', object: REQUEST })
  const next = { ...REQUEST.metadata, name: 'next', uid: 'next-uid', resourceVersion: '11' }
  run.cluster.tell(LIST, { type: 'ADDED', object: { ...REQUEST, metadata: next } })
  writing.resolve({})
  await expect.poll(() => run.written().length).toBe(2)
  await run.clock.sleepers(1)
  run.cluster.tell(LIST, { type: 'DELETED', object: { ...REQUEST, metadata: next } })
  for (let round = 0; round < 3; round += 1) {
    await run.clock.sleepers(1)
    run.clock.advance(6 * 60_000)
  }
  await run.clock.sleepers(1)
  expect(run.written().length).toBeLessThanOrEqual(3)
})

test('an entry that comes is waited for; one that does not come is a denial at the end of the wait, not before', async () => {
  await using run = signing(
    withRequest(() => ({})),
    { index: { authorizedFor: () => [] } },
  )
  const attempts = () => run.cluster.asked.filter(({ path }) => path.includes('/pods/')).length
  for (const [count, pauseMs] of [250, 500, 1_000, 2_000, 4_000, 2_250].entries()) {
    await expect.poll(attempts).toBe(count + 1)
    await run.clock.sleepers(1)
    expect(run.written()).toEqual([])
    run.clock.advance(pauseMs)
  }
  await expect
    .poll(run.written)
    .toMatchObject([
      { body: { status: { conditions: [{ type: 'Denied', reason: 'NoRegistrationEntry' }] } } },
    ])
})

test('who was slower than another server says nothing of it', async () => {
  await using run = signing(withRequest(() => new Refused(409)))
  await expect.poll(() => run.written().length).toBe(1)
  await run.clock.sleepers(1)
  run.cluster.tell(LIST, { type: 'DELETED', object: REQUEST })
  await expect.poll(() => run.clock.sleeping).toBeGreaterThan(0)
  expect(run.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test.for([
  ['a refused write', withRequest(() => new Refused(403)), {}, 'refused PATCH'],
  [
    'a pod that may not be read',
    (request: ClusterRequest) =>
      request.path.includes('/pods/') ? new Refused(403) : withRequest(() => ({}))(request),
    {},
    'refused GET',
  ],
  [
    'entries that are still being loaded',
    withRequest(() => ({})),
    {
      index: {
        authorizedFor() {
          throw new IdentityError('UNAVAILABLE', 'still being loaded')
        },
      },
    },
    'still being loaded',
  ],
  [
    'an authority that is not there',
    withRequest(() => ({})),
    {
      issuer: {
        issueWorkloadX509Svid: async () => {
          throw new IdentityError('UNAVAILABLE', 'no authority')
        },
      },
    },
    'no authority',
  ],
] as const)(
  '%s leaves the request open, is told, and tried again',
  async ([, answer, more, why]) => {
    await using run = signing(answer, more)
    await expect.poll(run.said).toEqual(['PodCertificateRequest could not be answered'])
    expect(JSON.stringify(run.lines)).toContain(why)
    await run.clock.sleepers(1)
    run.clock.advance(250)
    await expect.poll(run.said).toHaveLength(2)
  },
)

test('a certificate that ends too soon, because its authority does, is handed to nobody', async () => {
  const late: SignRequestsDeps['issuer'] = {
    issueWorkloadX509Svid: async () => ({
      ...{ chain: [], issuedAt: new Date('2026-01-01'), authorityId: 'a' },
      expiresAt: new Date('2026-01-01T00:50:00Z'),
    }),
  }
  await using run = signing(
    withRequest(() => ({})),
    { issuer: late },
  )
  await expect
    .poll(() => JSON.stringify(run.lines))
    .toContain('the active authority ends within 3600 s')
  expect(run.written()).toEqual([])
})

test('a banned node is denied', async () => {
  const asked: string[] = []
  const isBanned = async (id: string) => asked.push(id) > 0
  await using run = signing(
    withRequest(() => ({})),
    { isBanned },
  )
  await expect
    .poll(run.written)
    .toMatchObject([
      { body: { status: { conditions: [{ type: 'Denied', reason: 'NodeBanned' }] } } },
    ])
  expect(asked).toEqual(['spiffe://example.org/spire/agent/k8s_psat/demo/node-uid'])
})

test('an API server that serves no such requests is told of once and asked again each hour', async () => {
  let isServed = false
  await using run = signing((request) =>
    isServed ? withRequest(() => ({}))(request) : new Refused(404),
  )
  await run.clock.sleepers(1)
  run.clock.advance(60 * 60_000)
  await run.clock.sleepers(1)
  expect(run.said()).toEqual([
    'The API server serves no PodCertificateRequests; they are looked for again each hour',
  ])
  isServed = true
  run.clock.advance(60 * 60_000)
  await expect.poll(() => run.written().length).toBe(1)
})

test('a request for another signer is left to it, even when the API server tells of it', async () => {
  await using run = signing(withRequest(() => ({})))
  await expect.poll(() => run.written().length).toBe(1)
  const tell = (name: string, signerName: string) => {
    const metadata = { ...REQUEST.metadata, name, uid: name, resourceVersion: name }
    const spec = { ...REQUEST.spec, signerName }
    run.cluster.tell(LIST, { type: 'ADDED', object: { metadata, spec } })
  }
  tell('theirs', 'kubernetes.io/kube-apiserver-client-pod')
  tell('ours', 'a.b/c')
  await expect.poll(() => run.written().length).toBe(2)
  expect(run.written().map(({ path }) => path.split('/').at(-2))).toEqual(['req', 'ours'])
})

test('a request with a node that no ID can be made of is denied, and not tried for ever', async () => {
  await using run = signing(withRequest(() => ({})))
  await expect.poll(() => run.written().length).toBe(1)
  const metadata = { ...REQUEST.metadata, name: 'odd', uid: 'odd', resourceVersion: '6' }
  const spec = { ...REQUEST.spec, nodeUID: 'no/../ID ' }
  run.cluster.tell(LIST, { type: 'ADDED', object: { metadata, spec } })
  await expect.poll(() => run.written().length).toBe(2)
  const reason = 'PodMismatch'
  expect(run.written()[1]).toMatchObject({ body: { status: { conditions: [{ reason }] } } })
  expect(run.lines.filter(({ level }) => level === 'error')).toEqual([])
})
