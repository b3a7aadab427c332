/** The pods of one node by a watch at a real API server, with no more rights than that takes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { apiServerPods } from '../../agent/attest/k8s/api-server-pods.ts'
import { findContainer } from '../../agent/attest/k8s/find-container.ts'
import type { PodList } from '../../agent/attest/k8s/pod-list.ts'
import { podSelectors } from '../../agent/attest/k8s/pod-selectors.ts'
import { openCluster } from '../../kubernetes/open-cluster.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { CONTAINER_ID, OTHER_ID, status } from '../agent/attest/k8s/pods.ts'
import { memoryLog } from '../fakes/memory-log.ts'
import { type Kubernetes, startKubernetes } from '../processes/kubernetes.ts'
import { API_SERVER, interop } from './interop.ts'

const STATIC_UID = 'f0a1c5b7d9e84263a1b0c9d8e7f60514'
const { signal } = new AbortController()

async function kubeconfigOf(kube: Kubernetes, account: string): Promise<string> {
  const view = ['config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}']
  const server = await kube.mustKubectl(view)
  const ofCluster = { server, 'certificate-authority': join(kube.dir, 'ca.crt') }
  const path = join(kube.dir, `${account}.kubeconfig`)
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [{ name: 'c', cluster: ofCluster }],
    users: [{ name: 'u', user: { token: await kube.token('shop', account) } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  }
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  return path
}

const pod = (name: string, nodeName: string, metadata: object = {}, spec: object = {}) => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name, namespace: 'shop', labels: { app: name }, ...metadata },
  spec: {
    nodeName,
    automountServiceAccountToken: false,
    containers: [{ name: 'main', image: 'shop/cart:1' }],
    ...spec,
  },
})

async function startPods(kube: Kubernetes, account: string, patienceMs: number) {
  const cluster = await openCluster({ kubeconfig: await kubeconfigOf(kube, account) })
  const { log } = memoryLog()
  const rest = { clock: systemClock, random: Math.random, log }
  const pods = apiServerPods({ cluster, nodeName: 'node1', patienceMs, ...rest })
  const stop = new AbortController()
  const running = pods.follow(stop.signal)
  return {
    search: <T>(look: (list: PodList) => T | undefined) =>
      pods.search(look, { signal, patience: 'full' }),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

async function arrange(kube: Kubernetes): Promise<void> {
  await kube.mustKubectl(['create', 'ns', 'shop'])
  for (const account of ['default', 'watcher', 'stranger']) {
    await kube.mustKubectl(['create', 'serviceaccount', '-n', 'shop', account])
  }
  const role = ['create', 'clusterrole', 'watcher', '--verb=list,watch', '--resource=pods']
  await kube.mustKubectl(role)
  const binding = ['--clusterrole=watcher', '--serviceaccount=shop:watcher']
  await kube.mustKubectl(['create', 'clusterrolebinding', 'watcher', ...binding])
}

interop('a pod that comes to this node is known by the watch alone', API_SERVER, async () => {
  await using kube = await startKubernetes()
  await arrange(kube)
  const apply = (object: object) => kube.mustKubectl(['apply', '-f', '-'], JSON.stringify(object))
  const run = async (name: string, id: string) => {
    const patch = JSON.stringify({ status: { containerStatuses: [fullStatus(id)] } })
    const words = ['patch', 'pod', '-n', 'shop', name, '--subresource=status', '--type=merge']
    await kube.mustKubectl([...words, '-p', patch])
  }
  await using pods = await startPods(kube, 'watcher', 60_000)
  const place = { containerId: CONTAINER_ID, podUid: undefined }
  const waiting = pods.search((list) => {
    const found = findContainer(list, place, { needsNoContainer: false })
    return found.kind === 'not-yet' ? undefined : podSelectors(found.pod)
  })
  await apply(pod('cart', 'node1', {}, { serviceAccountName: 'default' }))
  await apply(pod('elsewhere', 'node2'))
  await run('cart', CONTAINER_ID)
  const found = await waiting
  expect(found.kind === 'found' && found.value).toEqual(
    expect.arrayContaining(['k8s:ns:shop', 'k8s:sa:default', 'k8s:pod-label:app:cart']),
  )

  await kube.mustKubectl(['label', 'pod', '-n', 'shop', 'cart', 'app=till', '--overwrite'])
  const relabelled = await pods.search((list) => {
    const [cart] = list.withContainer(CONTAINER_ID)
    return cart?.labels.app === 'till' ? list.size : undefined
  })
  expect(relabelled, 'and the pod of another node is not').toEqual({ kind: 'found', value: 1 })

  const annotations = { 'kubernetes.io/config.mirror': STATIC_UID }
  const node = { apiVersion: 'v1', kind: 'Node', name: 'node1', uid: 'node-uid' }
  await apply(pod('etcd-node1', 'node1', { annotations, ownerReferences: [node] }))
  await run('etcd-node1', OTHER_ID)
  const mirrored = await pods.search((list) => list.withUid(STATIC_UID)[0]?.name)
  expect(mirrored, 'a static pod, by its own UID').toEqual({ kind: 'found', value: 'etcd-node1' })

  await kube.mustKubectl(['delete', 'pod', '-n', 'shop', 'cart', '--force', '--grace-period=0'])
  const gone = await pods.search((list) =>
    list.withContainer(CONTAINER_ID).length === 0 ? 'gone' : undefined,
  )
  expect(gone).toEqual({ kind: 'found', value: 'gone' })

  await using refused = await startPods(kube, 'stranger', 1000)
  expect(await refused.search(() => undefined)).toEqual({
    kind: 'gave-up',
    problem: expect.stringMatching(/403: .*shop:stranger.* cannot list .*pods/),
  })
})

const fullStatus = (id: string) => ({
  ...status('main', id),
  ...{ ready: true, restartCount: 0, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } },
})
