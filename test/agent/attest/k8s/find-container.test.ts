/** Pod and container of a process among the pods of its node, and the selectors that they give. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findContainer } from '../../../../agent/attest/k8s/find-container.ts'
import { type Pod, readApiPod, readPod } from '../../../../agent/attest/k8s/pod.ts'
import { indexPods } from '../../../../agent/attest/k8s/pod-list.ts'
import {
  containerSelectors,
  namespaceSelectors,
  podSelectors,
} from '../../../../agent/attest/k8s/pod-selectors.ts'
import { CONTAINER_ID, OTHER_ID, POD_UID, type PodParts, podObject, status } from './pods.ts'

const read = (parts?: PodParts): Pod => {
  const pod = readPod(podObject(parts))
  if (pod === undefined) throw new Error('no pod')
  return pod
}
const place = { containerId: CONTAINER_ID, podUid: POD_UID }
const find = (pods: readonly Pod[], where: Partial<typeof place> = {}, needsNoContainer = false) =>
  findContainer(indexPods(pods), { ...place, ...where }, { needsNoContainer })
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'ATTESTATION_FAILED', message: expect.stringMatching(message) })
const OTHER_UID = 'a2830d0d-b0f0-4ff0-81b5-0ee4e299cf80'

test('finds a container and an init container, by pod UID or without', () => {
  const pod = read({
    status: {
      containerStatuses: [status('cart', CONTAINER_ID)],
      initContainerStatuses: [status('setup', OTHER_ID)],
    },
  })
  expect(find([pod])).toMatchObject({ kind: 'container', container: { name: 'cart' } })
  expect(find([pod], { containerId: OTHER_ID })).toMatchObject({ container: { name: 'setup' } })
  const byContainer = findContainer(
    indexPods([pod]),
    { containerId: CONTAINER_ID, podUid: undefined },
    { needsNoContainer: false },
  )
  expect(byContainer).toMatchObject({ kind: 'container', pod: { name: 'cart-1' } })
})

test.for([
  ['an unknown pod', [], /pod 2c48913c-b29f-11e7-9350-020968147796 is not among the 0 known pods/],
  [
    'a pod whose container is not ready',
    [read({ status: { containerStatuses: [status('cart', undefined)] } })],
    /pod shop\/cart-1 is known, but its status does not show container 9bca8d63.* yet/,
  ],
  ['a pod without a status', [read({ status: { containerStatuses: null } })], /is known, but/],
] as const)('waits for %s, and says so', ([, pods, why]) => {
  expect(find(pods)).toEqual({ kind: 'not-yet', why: expect.stringMatching(why) })
})

test('a known pod is enough where no selectors of its container are wanted', () => {
  const pod = read({ status: { containerStatuses: [status('cart', undefined)] } })
  expect(find([pod], {}, true)).toEqual({ kind: 'pod', pod })
  expect(find([], {}, true)).toMatchObject({ kind: 'not-yet' })
})

test.for([
  ['two pods with one UID', [read(), read({ metadata: { name: 'cart-2' } })], /2 pods have UID/],
  [
    'two pods with one container',
    [read(), read({ metadata: { name: 'thief', uid: OTHER_UID } })],
    /2 pods have container .*: shop\/cart-1, shop\/thief$/,
  ],
  [
    'a hundred pods with one container, without naming them all',
    Array.from({ length: 100 }, (_, index) => read({ metadata: { name: `p${index}` } })),
    /shop\/p0, shop\/p1, shop\/p2, and 97 more$/,
  ],
  [
    'a container that is listed in another pod than the kernel says',
    [read({ metadata: { uid: OTHER_UID } })],
    /belongs to pod 2c48913c.* by its control group, and to pod a2830d0d.* by the list/,
  ],
  [
    'a debug container',
    [
      read({
        status: {
          containerStatuses: [status('cart', OTHER_ID)],
          ephemeralContainerStatuses: [status('debugger', CONTAINER_ID)],
        },
      }),
    ],
    /debug container of pod shop\/cart-1/,
  ],
] as const)('refuses at once %s', ([, pods, message]) => {
  expect(() => find(pods)).toThrow(refusal(message))
  expect(() => find(pods, {}, true)).toThrow(refusal(message))
})

test('gives every selector of a pod, of its container and of its namespace', () => {
  const pod = read({
    status: {
      containerStatuses: [status('cart', CONTAINER_ID), status('proxy', OTHER_ID, 'mesh/proxy:2')],
      initContainerStatuses: [status('setup', undefined, 'shop/setup:1')],
    },
  })
  expect([...podSelectors(pod)].sort()).toEqual(
    [
      'k8s:sa:cart',
      'k8s:ns:shop',
      'k8s:node-name:node1',
      `k8s:pod-uid:${POD_UID}`,
      'k8s:pod-name:cart-1',
      'k8s:pod-image-count:2',
      'k8s:pod-init-image-count:1',
      'k8s:pod-image:shop/cart:1',
      `k8s:pod-image:shop/cart@sha256:${CONTAINER_ID}`,
      'k8s:pod-image:mesh/proxy:2',
      `k8s:pod-image:shop/cart@sha256:${OTHER_ID}`,
      'k8s:pod-init-image:shop/setup:1',
      'k8s:pod-init-image:',
      'k8s:pod-label:app:cart',
      'k8s:pod-label:tier:',
      'k8s:pod-owner:ReplicaSet:cart',
      'k8s:pod-owner-uid:ReplicaSet:rs-uid',
    ].sort(),
  )
  const [container] = pod.containers
  expect(container && containerSelectors(container)).toEqual([
    'k8s:container-name:cart',
    `k8s:container-image:shop/cart@sha256:${CONTAINER_ID}`,
    'k8s:container-image:shop/cart:1',
  ])
  expect(namespaceSelectors({ team: 'a:b' })).toEqual(['k8s:ns-label:team:a:b'])
})

test('an image that is known by its digest alone is told once', () => {
  const image = `shop/cart@sha256:${CONTAINER_ID}`
  const pod = read({ status: { containerStatuses: [status('cart', CONTAINER_ID, image)] } })
  expect(podSelectors(pod).filter((one) => one.includes('pod-image:'))).toEqual([
    `k8s:pod-image:${image}`,
  ])
})

const MIRROR = { 'kubernetes.io/config.mirror': 'f0a1c5b7d9e84263a1b0c9d8e7f60514' }
const ofNode = { ownerReferences: [{ kind: 'Node', name: 'node1', uid: 'n' }] }

test('a static pod is told by the API server as its kubelet tells it', () => {
  const pod = readApiPod(podObject({ metadata: { annotations: MIRROR, ...ofNode } }))
  expect(pod).toMatchObject({ uid: 'f0a1c5b7d9e84263a1b0c9d8e7f60514', owners: [] })
})

test.for([
  ['nobody', { ownerReferences: [] }],
  ['a ReplicaSet', {}],
  ['another node', { ownerReferences: [{ kind: 'Node', name: 'node2', uid: 'n' }] }],
  ['the node and somebody else', { ownerReferences: [...ofNode.ownerReferences, { kind: 'X' }] }],
] as const)('a pod that calls itself static and is owned by %s keeps its UID', ([, owned]) => {
  const pod = readApiPod(podObject({ metadata: { annotations: MIRROR, ...owned } }))
  expect(pod?.uid).toBe(POD_UID)
})

test.for([
  ['no UID', { uid: '' }],
  ['a number for a UID', { uid: 7 }],
  ['no name', { name: undefined }],
] as const)('leaves out a pod with %s', ([, metadata]) => {
  expect(readPod(podObject({ metadata }))).toBeUndefined()
})

test.for([
  ['without a runtime', CONTAINER_ID],
  ['with a path behind', `containerd://${CONTAINER_ID}/x`],
  ['of nothing', 'containerd://'],
] as const)('a container ID %s is none', ([, containerID]) => {
  const pod = read({ status: { containerStatuses: [{ name: 'cart', containerID }] } })
  expect(pod.containers[0]?.containerId).toBe('')
})

test('any object at all is read or left out', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (metadata, spec, state) => {
      for (const object of [metadata, { metadata, spec, status: state }]) {
        const pod = readApiPod(object)
        if (pod !== undefined) expect(() => podSelectors(pod)).not.toThrow()
      }
    }),
  )
})
