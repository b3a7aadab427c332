/** What brokers are told of pods and objects: whom, of what, and when the cluster itself says no. */
import { expect, test } from 'vitest'
import { type ForBrokersDeps, forBrokers } from '../../../../agent/attest/k8s/for-brokers.ts'
import { readPod } from '../../../../agent/attest/k8s/pod.ts'
import { indexPods } from '../../../../agent/attest/k8s/pod-list.ts'
import type { KubernetesObject } from '../../../../agent/attest/reference.ts'
import { parseSpiffeId } from '../../../../spiffe/id.ts'
import { parseSelector } from '../../../../spiffe/selector.ts'
import { Refused, scriptedCluster } from '../../../fakes/scripted-cluster.ts'

const LOCAL = parseSpiffeId('spiffe://example.org/local')
const WIDE = parseSpiffeId('spiffe://example.org/wide')
const signal = new AbortController().signal

const podObject = (name: string, uid: string) => ({
  metadata: { name, namespace: 'shop', uid, resourceVersion: '1', labels: { app: name } },
  spec: { nodeName: 'n', serviceAccountName: 'sa' },
})
const HERE = podObject('here', 'u-here')
const ELSEWHERE = podObject('elsewhere', 'u-elsewhere')
const DEPLOYMENT = {
  metadata: {
    ...{ name: 'web', namespace: 'shop', uid: 'u-web', resourceVersion: '1', labels: { a: 'b' } },
    ownerReferences: [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u-c' },
      { apiVersion: 'x.org/v1', kind: 'App', name: 'w', uid: 'u-w', controller: true },
    ],
  },
}
const NODE = { metadata: { name: 'n', uid: 'u-n', resourceVersion: '1' } }

const API: Readonly<Record<string, unknown>> = {
  '/api/v1': { resources: [{ name: 'nodes', kind: 'Node', namespaced: false }] },
  '/api/v1/nodes/n': NODE,
  '/apis/apps': { preferredVersion: { version: 'v1' }, versions: [{ version: 'v1' }] },
  '/apis/apps/v1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true }] },
  '/apis/apps/v1/deployments': { metadata: { resourceVersion: '1' }, items: [DEPLOYMENT] },
  '/apis/apps/v1/namespaces/shop/deployments/web': DEPLOYMENT,
  '/api/v1/pods': { metadata: { resourceVersion: '1' }, items: [ELSEWHERE] },
  '/api/v1/namespaces/shop/pods/elsewhere': ELSEWHERE,
}

interface Change extends Partial<Pick<ForBrokersDeps, 'settings' | 'source' | 'attestProcess'>> {
  readonly policy?: 'permissive' | 'enforced'
  readonly isAllowed?: boolean
  readonly answers?: Readonly<Record<string, unknown>>
}

function open({ policy = 'permissive', isAllowed = false, answers = {}, ...change }: Change = {}) {
  const cluster = scriptedCluster(({ path }) =>
    path.endsWith('/subjectaccessreviews')
      ? { status: { allowed: isAllowed } }
      : (answers[path] ?? API[path] ?? new Refused(404, 'not found')),
  )
  const pods = indexPods([readPod(HERE)].flatMap((one) => one ?? []))
  const told = forBrokers({
    settings: {
      accessPolicy: policy,
      brokers: [
        { id: LOCAL, podScope: 'agent_node' },
        { id: WIDE, podScope: 'cluster' },
      ],
    },
    source: {
      async search(look) {
        const value = look(pods)
        return value === undefined
          ? { kind: 'gave-up', problem: undefined }
          : { kind: 'found', value }
      },
      follow: async () => {},
    },
    namespaces: undefined,
    cluster: async () => cluster,
    attestProcess: async () => undefined,
    ...change,
  })
  return {
    asked: cluster.asked,
    object: (object: Partial<KubernetesObject>, broker = WIDE) =>
      told.attestObject(of(object), broker, signal),
    process: (broker = WIDE) =>
      told.attestProcess(
        { kind: 'unix', pid: 1, uid: 0, gid: 0, isAlive: () => true },
        broker,
        signal,
      ),
  }
}

const of = (object: Partial<KubernetesObject>): KubernetesObject => ({
  ...{ plural: 'pods', group: 'core', namespace: '', name: '', uid: '' },
  ...object,
})
const WEB = { plural: 'deployments', group: 'apps', namespace: 'shop', name: 'web' }

test.for([
  ['name', { namespace: 'shop', name: 'here' }],
  ['UID', { uid: 'u-here' }],
  ['both', { namespace: 'shop', name: 'here', uid: 'u-here' }],
] as const)(
  'a pod of this node is found by its %s, at no cost for the cluster',
  async ([, object]) => {
    const { object: attest, asked } = open()
    const selectors = await attest(object, LOCAL)
    expect(selectors).toContain('k8s:pod-name:here')
    expect(selectors).toContain('k8s:pod-label:app:here')
    expect(asked).toEqual([])
  },
)

test.for([
  ['name', { namespace: 'shop', name: 'elsewhere' }],
  ['UID', { uid: 'u-elsewhere' }],
] as const)(
  'a pod of another node is found by its %s for a broker of the cluster alone',
  async ([, object]) => {
    const { object: attest } = open()
    expect(await attest(object, WIDE)).toContain('k8s:pod-uid:u-elsewhere')
    await expect(attest(object, LOCAL)).rejects.toThrow(/not found on agent node/)
  },
)

test('any other object has the selectors of its metadata', async () => {
  const { object: attest, asked } = open()
  const expected = [
    ...['uid:u-web', 'resource:deployments.apps', 'plural:deployments', 'group:apps'],
    ...['version:v1', 'apiVersion:apps/v1', 'kind:Deployment', 'name:web', 'namespace:shop'],
    ...['key:shop/web', 'label:a:b', 'owner-key:core/ConfigMap/c', 'owner-uid:core/ConfigMap/u-c'],
    ...['owner-key:x.org/App/w', 'owner-uid:x.org/App/u-w'],
    ...['controller-key:x.org/App/w', 'controller-uid:x.org/App/u-w'],
  ].map((one) => `k8s:${one}`)
  expect([...(await attest(WEB))].sort()).toEqual(expected.sort())
  expect(
    [...(await attest({ plural: 'deployments', group: 'apps', uid: 'u-web' }))].sort(),
  ).toEqual(expected)
  const looked = asked.filter(({ path }) => path.includes('deployments'))
  expect(looked.every(({ accept }) => accept?.includes('PartialObjectMetadata'))).toBe(true)
  const node = await attest({ plural: 'nodes', group: 'core', name: 'n' })
  expect(node).toContain('k8s:key:n')
  expect(node).toContain('k8s:apiVersion:v1')
  expect(node.join()).not.toContain('namespace')
})

test.for([
  ['a pod that is not there', { namespace: 'shop', name: 'gone' }, 'WORKLOAD_NOT_FOUND'],
  [
    'a pod whose UID is another one',
    { namespace: 'shop', name: 'here', uid: 'x' },
    'WORKLOAD_NOT_FOUND',
  ],
  ['a pod without its namespace', { name: 'here' }, 'WORKLOAD_REFERENCE_INVALID'],
  ['an object that is not there', { ...WEB, name: 'gone' }, 'WORKLOAD_NOT_FOUND'],
  ['an object whose UID is another one', { ...WEB, uid: 'x' }, 'WORKLOAD_NOT_FOUND'],
  ['a UID that nothing has', { ...WEB, namespace: '', name: '', uid: 'x' }, 'WORKLOAD_NOT_FOUND'],
  [
    'a namespaced object without its namespace',
    { ...WEB, namespace: '' },
    'WORKLOAD_REFERENCE_INVALID',
  ],
  [
    'an object of the cluster with a namespace',
    { plural: 'nodes', namespace: 'shop', name: 'n' },
    'WORKLOAD_REFERENCE_INVALID',
  ],
  ['a resource that is unknown', { ...WEB, plural: 'nothings' }, 'WORKLOAD_REFERENCE_INVALID'],
  ['a group that is unknown', { ...WEB, group: 'x.org' }, 'WORKLOAD_REFERENCE_INVALID'],
] as const)('refuses %s', async ([, object, code]) => {
  await expect(open().object(object)).rejects.toMatchObject({ code })
})

test('what the agent itself may not see is no verdict on the broker', async () => {
  const path = '/apis/apps/v1/namespaces/shop/deployments/web'
  const { object } = open({ answers: { [path]: new Refused(403, 'forbidden') } })
  await expect(object(WEB)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('a broker that is not configured here is told nothing, of processes neither', async () => {
  const stranger = parseSpiffeId('spiffe://example.org/stranger')
  for (const ask of [open().object(WEB, stranger), open().process(stranger)]) {
    await expect(ask).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
  }
  for (const ask of [
    open({ settings: undefined }).object(WEB),
    open({ settings: undefined }).process(),
  ]) {
    await expect(ask).rejects.toThrow(/broker configuration missing/)
  }
})

test('under enforced the cluster is asked about each object, and its word is needed', async () => {
  const denied = open({ policy: 'enforced' })
  const here = { namespace: 'shop', name: 'here' }
  await expect(denied.object(here)).rejects.toThrow(
    /does not allow the broker to use impersonate-via-spire/,
  )
  await expect(denied.object(WEB)).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })
  const reviews = denied.asked.filter(({ method }) => method === 'POST')
  expect(reviews.map(({ body }) => body)).toMatchObject([
    {
      spec: {
        user: WIDE,
        resourceAttributes: { verb: 'impersonate-via-spire', group: '', resource: 'pods', ...here },
      },
    },
    { spec: { resourceAttributes: { group: 'apps', resource: 'deployments', name: 'web' } } },
  ])
  expect(await open({ policy: 'enforced', isAllowed: true }).object(WEB)).toContain('k8s:name:web')
})

test('a process is judged by the pod that it is in; one in no pod has no selectors', async () => {
  expect(await open({ policy: 'enforced' }).process()).toEqual([])
  const [pod] = [readPod(HERE)].flatMap((one) => one ?? [])
  if (pod === undefined) throw new Error('no pod')
  const attestProcess = async () => ({ pod, selectors: [parseSelector('k8s:ns:shop')] })
  await expect(open({ policy: 'enforced', attestProcess }).process()).rejects.toMatchObject({
    code: 'NOT_AUTHORIZED',
  })
  expect(await open({ attestProcess }).process()).toEqual(['k8s:ns:shop'])
})
