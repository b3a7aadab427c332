import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ObjectMeta, readMeta } from '../../../kubernetes/object.ts'
import type { Entry } from '../../../server/entries/entry.ts'
import { chooseEntry, readWish } from '../../../server/pod-certificates/choose-entry.ts'
import { type DecideDeps, decide } from '../../../server/pod-certificates/decide.ts'
import {
  type IdentityValues,
  parseIdentityTemplate,
  renderIdentity,
} from '../../../server/pod-certificates/identity-template.ts'
import {
  type PodCertificateRequest,
  readPodCertificateRequest,
} from '../../../server/pod-certificates/request.ts'
import { deniedStatus, issuedStatus } from '../../../server/pod-certificates/status.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'

const trustDomain = parseTrustDomain('example.org')
const key = await generateKey('ec-p256')
const csr = createCsr({ key }).toString('base64')
const SPEC = {
  ...{ signerName: 'a.b/c', podName: 'p', podUID: 'pod-uid', serviceAccountName: 'cart' },
  ...{ nodeName: 'node1', nodeUID: 'node-uid', stubPKCS10Request: csr },
}
const META = { name: 'req-1', namespace: 'shop', uid: 'u1', resourceVersion: '1' }

function metaOf(metadata: object): ObjectMeta {
  const meta = readMeta({ metadata })
  if (meta === undefined) throw new Error('no metadata')
  return meta
}

function requestOf(spec: object = {}): PodCertificateRequest {
  const read = readPodCertificateRequest({ spec: { ...SPEC, ...spec } }, metaOf(META))
  if (read === undefined) throw new Error('not a request')
  return read
}

const pod = metaOf({
  ...{ name: 'p', namespace: 'shop', uid: 'pod-uid', resourceVersion: '1', labels: { app: 'x' } },
  ownerReferences: [{ kind: 'ReplicaSet', name: 'rs', uid: 'rs-uid' }],
})
const found = { kind: 'found', pod } as const

const entry = (id: string, selectors: readonly string[], more: Partial<Entry> = {}): Entry => ({
  ...{ id, spiffeId: parseSpiffeId(`spiffe://example.org/${id}`), revisionNumber: 0 },
  parentId: parseSpiffeId('spiffe://example.org/node'),
  selectors: selectors.map(parseSelector),
  ...{ x509SvidTtlSeconds: 0, jwtSvidTtlSeconds: 0, federatesWith: [], dnsNames: [], hint: '' },
  ...{ admin: false, downstream: false, storeSvid: false, disableX509SvidPrefetch: false },
  ...{ jwtSvidIncludeJti: false, expiresAt: undefined, createdAt: new Date(0) },
  ...more,
})

const deps = (entries: readonly Entry[], more: Partial<DecideDeps> = {}): DecideDeps => ({
  ...{ trustDomain, clusterName: 'demo', template: undefined, defaultTtlSeconds: 3_600 },
  index: { authorizedFor: () => entries },
  privileged: { reasonAgainst: () => undefined },
  ...more,
})

const allowed = entry('cart', ['k8s:ns:shop', 'k8s:sa:cart'])

test.for([
  ['namespace and service account', ['k8s:ns:shop', 'k8s:sa:cart']],
  ['UID', ['k8s:pod-uid:pod-uid']],
  ['name and node', ['k8s:pod-name:p', 'k8s:node-name:node1']],
  ['label', ['k8s:pod-label:app:x']],
  ['owner', ['k8s:pod-owner:ReplicaSet:rs', 'k8s:pod-owner-uid:ReplicaSet:rs-uid']],
] as const)('issues to a pod that an entry knows by %s', ([, selectors]) => {
  const decision = decide(requestOf(), found, false, deps([entry('e', selectors)]))
  if (decision.kind !== 'issue') throw new Error(JSON.stringify(decision))
  const { spki, ...identity } = decision.identity
  expect(Buffer.compare(spki, spkiOf(key))).toBe(0)
  expect(identity).toEqual({
    ...{ id: 'spiffe://example.org/e', dnsNames: [], ttlSeconds: 3_600, entryId: 'e' },
  })
})

test.for([
  ['another namespace', ['k8s:ns:bank']],
  ['a container, which no volume is for', ['k8s:ns:shop', 'k8s:container-name:c']],
  ['an image, which is not known yet', ['k8s:pod-image:x']],
  ['a process of the node', ['unix:uid:0']],
  ['one thing more than is so', ['k8s:ns:shop', 'k8s:sa:other']],
] as const)('waits for another entry than one of %s', ([, selectors]) => {
  expect(decide(requestOf(), found, false, deps([entry('e', selectors)]))).toMatchObject({
    kind: 'wait',
    denial: {
      reason: 'NoRegistrationEntry',
      message: expect.stringContaining(
        'parent ID spiffe://example.org/spire/agent/k8s_psat/demo/node-uid',
      ),
    },
  })
})

test('asks for the entries under the agent of the pod’s node, with what the cluster says of the node', () => {
  const asked: unknown[] = []
  const index: DecideDeps['index'] = {
    authorizedFor(agentId, vouched) {
      asked.push(agentId, [...(vouched ?? [])])
      return []
    },
  }
  decide(requestOf(), found, false, deps([], { index }))
  expect(asked).toEqual([
    'spiffe://example.org/spire/agent/k8s_psat/demo/node-uid',
    ['k8s_psat:cluster:demo', 'k8s_psat:agent_node_name:node1', 'k8s_psat:agent_node_uid:node-uid'],
  ])
})

const dsa = Buffer.from('3000', 'hex').toString('base64')
const foreign = createCsr({ key: await generateKey('ec-p256') })
const forged = Buffer.from(csr, 'base64')
forged.set(foreign.subarray(-20), forged.length - 20)

test.for([
  [
    'an annotation that is not understood',
    { unverifiedUserAnnotations: { 'a.b/x': '' } },
    'InvalidUnverifiedUserAnnotations',
  ],
  [
    'an annotation of another signer',
    { unverifiedUserAnnotations: { 'c.d/hint': '' } },
    'InvalidUnverifiedUserAnnotations',
  ],
  ['no key', { stubPKCS10Request: '' }, 'UnsupportedKeyType'],
  ['bytes that are no CSR', { stubPKCS10Request: dsa }, 'UnsupportedKeyType'],
  [
    'a CSR that its key did not sign',
    { stubPKCS10Request: forged.toString('base64') },
    'UnsupportedKeyType',
  ],
  ['bytes that are no key', { stubPKCS10Request: '', pkixPublicKey: dsa }, 'UnsupportedKeyType'],
] as const)('denies a request with %s', ([, spec, reason]) => {
  expect(decide(requestOf(spec), found, false, deps([allowed]))).toMatchObject({
    kind: 'deny',
    denial: { reason },
  })
})

test('denies what the pod does not bear out, and pods of a node whose agent is banned', () => {
  const other = { kind: 'other', why: 'the pod is another' } as const
  expect(decide(requestOf(), other, false, deps([allowed]))).toMatchObject({
    denial: { reason: 'PodMismatch', message: 'the pod is another' },
  })
  expect(decide(requestOf(), found, true, deps([allowed]))).toMatchObject({
    denial: { reason: 'NodeBanned' },
  })
})

test('takes a plain key from an API server that sends no CSR', () => {
  const spec = { stubPKCS10Request: '', pkixPublicKey: spkiOf(key).toString('base64') }
  expect(decide(requestOf(spec), found, false, deps([allowed]))).toMatchObject({ kind: 'issue' })
})

test.for([
  [0, 86_400, 3_600],
  [0, 3_600, 3_590],
  [7_200, 86_400, 7_200],
  [7_200, 5_000, 4_990],
  [3_590, 86_400, 3_590],
] as const)(
  'an entry of %i s and a pod of %i s make a certificate of %i s',
  ([own, most, ttlSeconds]) => {
    const entries = [{ ...allowed, x509SvidTtlSeconds: own }]
    expect(
      decide(requestOf({ maxExpirationSeconds: most }), found, false, deps(entries)),
    ).toMatchObject({
      identity: { ttlSeconds },
    })
  },
)

test('denies what would have to live longer than its entry says', () => {
  const entries = [{ ...allowed, x509SvidTtlSeconds: 3_589 }]
  expect(decide(requestOf(), found, false, deps(entries))).toMatchObject({
    kind: 'deny',
    denial: { reason: 'LifetimeTooShort' },
  })
})

const NO_WISH = { hint: undefined, spiffeId: undefined }
const all = new Set([parseSelector('k8s:ns:shop')])

test('of several entries the one that the Workload API would give first is chosen', () => {
  const [a, b] = [entry('a', ['k8s:ns:shop']), entry('b', ['k8s:ns:shop'])]
  expect(chooseEntry([b, a], all, NO_WISH)).toBe(a)
  expect(chooseEntry([b, a], all, { ...NO_WISH, spiffeId: b.spiffeId })).toBe(b)
  expect(chooseEntry([b, a], all, { ...NO_WISH, spiffeId: 'spiffe://example.org/c' })).toBe(
    undefined,
  )
})

test('of several entries with one hint the oldest is chosen, and stored SVIDs are for nobody', () => {
  const old = entry('z', ['k8s:ns:shop'], { hint: 'h' })
  const late = entry('a', ['k8s:ns:shop'], { hint: 'h', createdAt: new Date(1) })
  const stored = entry('0', ['k8s:ns:shop'], { storeSvid: true })
  expect(chooseEntry([stored, late, old], all, { ...NO_WISH, hint: 'h' })).toBe(old)
  expect(chooseEntry([stored, late, old], all, NO_WISH)).toBe(old)
  expect(chooseEntry([stored], all, NO_WISH)).toBe(undefined)
  expect(chooseEntry([old], all, { ...NO_WISH, hint: '' })).toBe(undefined)
})

test('only hint and SPIFFE ID may be asked for, under the signer’s domain', () => {
  expect(readWish('a.b/c/d', { 'a.b/hint': 'h' })).toEqual({
    kind: 'wish',
    wish: { hint: 'h', spiffeId: undefined },
  })
  expect(readWish('a.b/c', { 'a.b/hint': 'h', 'a.b/Hint': 'h' })).toEqual({
    kind: 'unknown',
    key: 'a.b/Hint',
  })
})

const VALUES: IdentityValues = {
  ...{ TrustDomain: 'example.org', ClusterName: 'demo', 'PodMeta.Namespace': 'shop' },
  ...{ 'PodMeta.Name': 'p', 'PodMeta.UID': 'u', 'PodSpec.ServiceAccountName': 'cart' },
  'PodSpec.NodeName': 'node1',
}

test('a template makes the ID of a pod out of its fields', () => {
  const text =
    'spiffe://{{ .TrustDomain }}/{{.ClusterName}}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}/x-{{ .PodMeta.UID }}'
  const template = parseIdentityTemplate(text, trustDomain)
  expect(renderIdentity(template, VALUES, trustDomain)).toBe(
    'spiffe://example.org/demo/ns/shop/sa/cart/x-u',
  )
  expect(decide(requestOf(), found, false, deps([], { template }))).toMatchObject({
    identity: { id: 'spiffe://example.org/demo/ns/shop/sa/cart/x-pod-uid', entryId: undefined },
  })
})

test('a template gives nobody an ID that has rights at the server, for it asks for no selectors', () => {
  const template = parseIdentityTemplate('spiffe://example.org/operator', trustDomain)
  const privileged: DecideDeps['privileged'] = {
    reasonAgainst: (id) => `${id} has rights`,
  }
  expect(decide(requestOf(), found, false, deps([], { template, privileged }))).toEqual({
    kind: 'deny',
    denial: {
      reason: 'PrivilegedIdentity',
      message: 'spiffe://example.org/operator has rights',
    },
  })
  // Fails closed, and not for ever: a denial would be.
  const unknown: DecideDeps['privileged'] = {
    reasonAgainst() {
      throw new IdentityError('UNAVAILABLE', 'registration entries are still being loaded')
    },
  }
  expect(() =>
    decide(requestOf(), found, false, deps([], { template, privileged: unknown })),
  ).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }))
  // By an entry it is for who has its selectors, as anywhere else.
  const decided = decide(requestOf(), found, false, deps([allowed], { privileged }))
  expect(decided).toMatchObject({ kind: 'issue' })
})

test('no value of a field adds a step to the path or leads out of the workloads of the trust domain', () => {
  const template = parseIdentityTemplate('spiffe://example.org/{{ .PodMeta.Name }}/x', trustDomain)
  fc.assert(
    fc.property(fc.string(), (name) => {
      try {
        const id = renderIdentity(template, { ...VALUES, 'PodMeta.Name': name }, trustDomain)
        expect(id).toBe(`spiffe://example.org/${name}/x`)
        expect(id.split('/')).toHaveLength(5)
        expect(name).not.toMatch(/^(?:|\.|\.\.|spire)$/)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
  )
})

test.for([
  ['issued', 'Issued'],
  ['denied', 'Denied'],
  ['failed', 'Failed'],
] as const)('a request that is %s is none any more', ([, type]) => {
  const object = { spec: SPEC, status: { conditions: [{ type, status: 'True' }] } }
  expect(readPodCertificateRequest(object, metaOf(META))).toBe(undefined)
})

test('whatever stands in a request, it is read as one, left out, or denied', () => {
  const spec = fc.record(
    {
      ...Object.fromEntries(
        Object.keys(SPEC).map((name) => [name, fc.oneof(fc.string(), fc.anything())]),
      ),
      pkixPublicKey: fc.oneof(fc.base64String(), fc.anything()),
      maxExpirationSeconds: fc.oneof(fc.integer(), fc.anything()),
      unverifiedUserAnnotations: fc.oneof(fc.dictionary(fc.string(), fc.anything()), fc.anything()),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(spec, fc.boolean(), (written, isWhole) => {
      const object = { spec: isWhole ? { ...SPEC, ...written, podName: 'p' } : written }
      const request = readPodCertificateRequest(object, metaOf(META))
      if (request === undefined) return
      expect(['issue', 'deny', 'wait']).toContain(
        decide(request, found, false, deps([allowed])).kind,
      )
    }),
  )
})

test('a status has one condition, and a kubelet asks again at half of the life', () => {
  const now = new Date('2026-01-01T00:00:00.400Z')
  const issued = {
    ...{
      chain: [Buffer.from('leaf')],
      authorityId: 'a',
      issuedAt: new Date('2026-01-01T00:00:00Z'),
    },
    expiresAt: new Date('2026-01-01T01:00:00Z'),
  }
  expect(issuedStatus(issued, now)).toMatchObject({
    conditions: [{ type: 'Issued', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    ...{ notBefore: '2025-12-31T23:59:50Z', notAfter: '2026-01-01T01:00:00Z' },
    beginRefreshAt: '2026-01-01T00:29:55Z',
  })
  const message = 'x'.repeat(40_000)
  const { conditions } = deniedStatus({ reason: 'PodMismatch', message }, now)
  expect(conditions).toMatchObject([{ type: 'Denied', reason: 'PodMismatch' }])
  expect(conditions[0]?.message).toHaveLength(32_768)
})
