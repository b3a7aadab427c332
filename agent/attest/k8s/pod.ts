/**
 * What is kept of a pod: the facts that selectors are made of. Reads what a kubelet or an API server sent, assuming
 * nothing of its shape; both readers give the same facts of the same pod.
 */
import { listAt, recordAt, textAt, textsAt } from '../../../kubernetes/object.ts'

export interface PodOwner {
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** As the kubelet reported it; what is not known yet is empty. */
export interface ContainerStatus {
  readonly name: string
  /** Of the container that runs, or ran last: without the name of the runtime before it. */
  readonly containerId: string
  readonly image: string
  readonly imageId: string
}

export interface Pod {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly nodeName: string
  readonly serviceAccount: string
  readonly labels: Readonly<Record<string, string>>
  readonly owners: readonly PodOwner[]
  readonly containers: readonly ContainerStatus[]
  readonly initContainers: readonly ContainerStatus[]
  /** Debug containers; no identity is given to them. */
  readonly ephemeralContainers: readonly ContainerStatus[]
}

/** @returns undefined for what has no UID or name */
export function readPod(object: unknown): Pod | undefined {
  const metadata = recordAt(object, 'metadata')
  const [spec, status] = [recordAt(object, 'spec'), recordAt(object, 'status')]
  const [uid, name] = [textAt(metadata, 'uid') ?? '', textAt(metadata, 'name') ?? '']
  if (uid === '' || name === '') return undefined
  return {
    ...{ uid, name },
    namespace: textAt(metadata, 'namespace') ?? '',
    nodeName: textAt(spec, 'nodeName') ?? '',
    serviceAccount: textAt(spec, 'serviceAccountName') ?? '',
    labels: textsAt(metadata, 'labels'),
    owners: listAt(metadata, 'ownerReferences').map(readOwner),
    containers: listAt(status, 'containerStatuses').map(readStatus),
    initContainers: listAt(status, 'initContainerStatuses').map(readStatus),
    ephemeralContainers: listAt(status, 'ephemeralContainerStatuses').map(readStatus),
  }
}

/** Set by a kubelet on the object that it makes at the API server for a pod of its own. */
const MIRROR = 'kubernetes.io/config.mirror'

/**
 * A pod as the API server has it. What a kubelet runs from a file has another UID there and is owned by its node: it is
 * told as the kubelet tells it. Anybody may write the annotation, so that the owner must be the node, too.
 */
export function readApiPod(object: unknown): Pod | undefined {
  const pod = readPod(object)
  const hash = textsAt(recordAt(object, 'metadata'), 'annotations')[MIRROR]
  if (pod === undefined || hash === undefined || hash === '') return pod
  const [owner, ...more] = pod.owners
  const isOwnedByNode = owner?.kind === 'Node' && owner.name === pod.nodeName && more.length === 0
  return isOwnedByNode ? { ...pod, uid: hash, owners: [] } : pod
}

function readOwner(owner: unknown): PodOwner {
  return {
    kind: textAt(owner, 'kind') ?? '',
    name: textAt(owner, 'name') ?? '',
    uid: textAt(owner, 'uid') ?? '',
  }
}

/** `containerd://9bca8d63…`: behind the runtime's name stands what control groups are named after. */
const CONTAINER_URL = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)$/i

function readStatus(status: unknown): ContainerStatus {
  return {
    name: textAt(status, 'name') ?? '',
    containerId: CONTAINER_URL.exec(textAt(status, 'containerID') ?? '')?.[1] ?? '',
    image: textAt(status, 'image') ?? '',
    imageId: textAt(status, 'imageID') ?? '',
  }
}
