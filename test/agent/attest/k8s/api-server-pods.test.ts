/** Pods and namespaces by a watch, over a cluster that a test says everything of. */
import { expect, test } from 'vitest'
import { apiServerPods } from '../../../../agent/attest/k8s/api-server-pods.ts'
import { followNamespaceLabels } from '../../../../agent/attest/k8s/namespace-labels.ts'
import type { PodList } from '../../../../agent/attest/k8s/pod-list.ts'
import type { Cluster, ClusterRequest, WatchEvent } from '../../../../kubernetes/cluster.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { memoryLog } from '../../../fakes/memory-log.ts'
import { POD_UID, podObject } from './pods.ts'

/** Lists `items`, then tells events until it is ended. */
function scriptedCluster(items: readonly unknown[], refuses = false) {
  const asked: ClusterRequest[] = []
  const queue: WatchEvent[] = []
  let arrived = Promise.withResolvers<void>()
  let isOpen = true
  const cluster: Cluster = {
    server: 'https://test',
    async request(request) {
      asked.push(request)
      if (refuses) throw new IdentityError('NOT_AUTHORIZED', 'the API server refused GET with 403')
      return { metadata: { resourceVersion: '10' }, items }
    },
    async watch({ signal }) {
      signal.addEventListener('abort', () => arrived.resolve())
      return (async function* () {
        while (!signal.aborted) {
          yield* queue.splice(0)
          await arrived.promise
          arrived = Promise.withResolvers()
        }
      })()
    },
    [Symbol.dispose]() {
      isOpen = false
    },
  }
  const tell = (type: WatchEvent['type'], object: unknown) => {
    queue.push({ type, object })
    arrived.resolve()
  }
  return { cluster, asked, tell, isOpen: () => isOpen }
}

function start(items: readonly unknown[], refuses = false) {
  const { cluster, asked, tell, isOpen } = scriptedCluster(items, refuses)
  const clock = new FakeClock()
  const { log, lines } = memoryLog()
  const stop = new AbortController()
  const deps = { cluster, patienceMs: 30_000, clock, random: () => 0.5, log }
  return { asked, tell, isOpen, deps, clock, lines, stop }
}

function startPods(items: readonly unknown[], refuses = false) {
  const started = start(items, refuses)
  const pods = apiServerPods({ ...started.deps, nodeName: 'node1' })
  const running = pods.follow(started.stop.signal)
  return { ...started, pods, running }
}

const { signal } = new AbortController()
const full = { signal, patience: 'full' } as const
const named = (list: PodList) => list.withUid(POD_UID)[0]?.name

test('asks for the pods of this node alone', async () => {
  const { pods, asked, stop, running, isOpen } = startPods([podObject()])
  expect(await pods.search(named, full)).toEqual({ kind: 'found', value: 'cart-1' })
  expect(asked[0]).toMatchObject({
    path: '/api/v1/pods',
    query: { fieldSelector: 'spec.nodeName=node1' },
  })
  stop.abort()
  await running
  expect(isOpen()).toBe(false)
})

test('a pod that comes wakes who waits for it, and costs no request', async () => {
  const { pods, tell, asked, stop } = startPods([])
  let looks = 0
  const searched = pods.search((list) => {
    looks += 1
    return named(list)
  }, full)
  await expect.poll(() => asked.length).toBe(1)
  tell('ADDED', podObject())
  expect(await searched).toEqual({ kind: 'found', value: 'cart-1' })
  expect(looks).toBeLessThanOrEqual(4)
  expect(asked).toHaveLength(1)
  stop.abort()
})

test('a label that changes and a pod that goes are known', async () => {
  const { pods, tell, stop } = startPods([podObject()])
  const labelled = (list: PodList) => list.withUid(POD_UID)[0]?.labels.app
  expect(await pods.search(labelled, full)).toMatchObject({ value: 'cart' })
  tell('MODIFIED', podObject({ metadata: { labels: { app: 'till' }, resourceVersion: '11' } }))
  const changed = (list: PodList) => (labelled(list) === 'till' ? 'till' : undefined)
  expect(await pods.search(changed, full)).toMatchObject({ value: 'till' })
  tell('DELETED', podObject({ metadata: { resourceVersion: '12' } }))
  const gone = (list: PodList) => (list.size === 0 ? 'gone' : undefined)
  expect(await pods.search(gone, full)).toMatchObject({ value: 'gone' })
  stop.abort()
})

test('pods of another node are left out, and said', async () => {
  const { pods, lines, stop } = startPods([podObject({ spec: { nodeName: 'node2' } })])
  await expect.poll(() => lines.length).toBe(1)
  expect(lines[0]).toMatchObject({ pod: 'shop/cart-1', node: 'node2' })
  const size = await pods.search((list) => `${list.size}`, full)
  expect(size).toMatchObject({ value: '0' })
  stop.abort()
})

test('patience ends after its time; who only asks is told at once', async () => {
  const { pods, clock, asked, stop } = startPods([])
  const waiting = pods.search(named, full)
  await expect.poll(() => asked.length).toBe(1)
  const nothing = { kind: 'gave-up', problem: undefined }
  expect(await pods.search(named, { signal, patience: 'once' })).toEqual(nothing)
  await clock.sleepers(1)
  clock.advance(30_000)
  expect(await waiting).toEqual(nothing)
  stop.abort()
})

test('an API server that refuses is named to who waited in vain', async () => {
  const { pods, clock, stop, lines } = startPods([], true)
  await expect.poll(() => lines.length).toBe(1)
  const waiting = pods.search(named, full)
  await clock.sleepers(2)
  clock.advance(30_000)
  expect(await waiting).toEqual({ kind: 'gave-up', problem: expect.stringMatching(/with 403/) })
  stop.abort()
})

test('a caller that hangs up stops waiting', async () => {
  const { pods, clock, stop } = startPods([])
  const caller = new AbortController()
  const waiting = pods.search(named, { signal: caller.signal, patience: 'full' })
  await clock.sleepers(1)
  caller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELED' })
  stop.abort()
})

const namespace = (labels: Readonly<Record<string, string>>, resourceVersion = '7') => ({
  metadata: { name: 'shop', uid: 'ns-uid', resourceVersion, labels },
})

test('the labels of a namespace are known, and their changes', async () => {
  const { deps, tell, stop } = start([namespace({ team: 'a' })])
  const namespaces = followNamespaceLabels(deps)
  const running = namespaces.follow(stop.signal)
  expect(await namespaces.labels('shop', signal)).toEqual({ team: 'a' })
  tell('MODIFIED', namespace({ team: 'b' }, '11'))
  await expect.poll(() => namespaces.labels('shop', signal)).toEqual({ team: 'b' })
  stop.abort()
  await running
})

test('a namespace that is not known in time is a failure with its reason', async () => {
  const { deps, clock, stop } = start([])
  const namespaces = followNamespaceLabels(deps)
  void namespaces.follow(stop.signal)
  const wanted = namespaces.labels('nowhere', signal)
  wanted.catch(() => {})
  await clock.sleepers(1)
  clock.advance(30_000)
  await expect(wanted).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/unable to get namespace labels for "nowhere"/),
  })
  stop.abort()
})
