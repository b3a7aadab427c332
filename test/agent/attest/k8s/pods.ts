/** Pods as a kubelet lists them, made for tests. */

export const POD_UID = '2c48913c-b29f-11e7-9350-020968147796'
export const CONTAINER_ID = '9bca8d63d5fa610783847915bcff0ecac1273e5b4bed3f6fa1b07350e0135961'
export const OTHER_ID = '09bc3d7ade839efec32b6bec4ec79d099027a668ddba043083ec21d3c3b8f1e6'

export interface PodParts {
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
}

export const status = (name: string, id: string | undefined, image = 'shop/cart:1') => ({
  name,
  image,
  imageID: id === undefined ? '' : `shop/cart@sha256:${id}`,
  ...(id === undefined ? {} : { containerID: `containerd://${id}` }),
})

/** One container, ready, of a ReplicaSet. */
export const podObject = (parts: PodParts = {}) => ({
  metadata: {
    name: 'cart-1',
    namespace: 'shop',
    uid: POD_UID,
    resourceVersion: '7',
    labels: { app: 'cart', tier: '' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart', uid: 'rs-uid' }],
    ...parts.metadata,
  },
  spec: { nodeName: 'node1', serviceAccountName: 'cart', ...parts.spec },
  status: { containerStatuses: [status('cart', CONTAINER_ID)], ...parts.status },
})

export const podListText = (...pods: readonly unknown[]) =>
  JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods })
