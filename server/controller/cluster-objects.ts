/**
 * What the controller keeps of pods, nodes, namespaces and endpoints. Of a pod it is the bytes of its metadata and spec,
 * not the objects they stand for: a cluster has many thousands, and few are looked at again. What changes with every
 * heartbeat (status, resource version, managed fields) is left out, so that it never counts as a change.
 */
import type { Followed } from '../../kubernetes/follow-objects.ts'
import { isRecord, listAt, type ObjectMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import type { Labels } from './label-selector.ts'

export interface PodCopy extends Followed {
  readonly uid: string
  readonly namespace: string
  readonly labels: Labels
  /** Empty until the pod is scheduled. */
  readonly nodeName: string
  /** JSON of `metadata` and `spec`. */
  readonly document: Buffer
}

export interface NodeCopy extends Followed {
  /** JSON of `metadata` and `spec`. */
  readonly document: Buffer
}

export interface NamespaceCopy extends Followed {
  readonly labels: Labels
}

/** One EndpointSlice: the pods that are ready behind a Service. */
export interface EndpointsCopy extends Followed {
  readonly service: string
  readonly podUids: readonly string[]
}

/** The objects of one cluster as they are now. */
export interface ObjectDocument {
  readonly metadata: unknown
  readonly spec: unknown
}

const NOTHING = Object.freeze({})

/** The label that ties a slice to its Service. */
const SERVICE_LABEL = 'kubernetes.io/service-name'

/** Without what is kept elsewhere or changes all the time. */
function lean(meta: ObjectMeta): ObjectMeta {
  return { ...meta, labels: NOTHING, annotations: NOTHING, owners: [] }
}

function documentOf(object: unknown): Buffer {
  const { managedFields: _, resourceVersion: __, ...metadata } = recordAt(object, 'metadata')
  return Buffer.from(JSON.stringify({ metadata, spec: recordAt(object, 'spec') }))
}

export function readDocument(document: Buffer): ObjectDocument {
  // It is what documentOf wrote.
  return JSON.parse(document.toString('utf8')) as ObjectDocument
}

export function readPod(object: unknown, meta: ObjectMeta): PodCopy {
  return {
    meta: lean(meta),
    uid: meta.uid,
    namespace: meta.namespace,
    labels: meta.labels,
    nodeName: textAt(recordAt(object, 'spec'), 'nodeName') ?? '',
    document: documentOf(object),
  }
}

export function readNode(object: unknown, meta: ObjectMeta): NodeCopy {
  return { meta: lean(meta), document: documentOf(object) }
}

export function readNamespace(_: unknown, meta: ObjectMeta): NamespaceCopy {
  return { meta: lean(meta), labels: meta.labels }
}

/** Undefined for slices that belong to no Service. */
export function readEndpoints(object: unknown, meta: ObjectMeta): EndpointsCopy | undefined {
  const service = meta.labels[SERVICE_LABEL]
  if (service === undefined || service === '') return undefined
  const podUids = listAt(object, 'endpoints').flatMap((endpoint) => {
    const conditions = recordAt(endpoint, 'conditions')
    // A condition that is left out means ready: EndpointSlice API, `EndpointConditions.ready`.
    if (isRecord(conditions) && conditions.ready === false) return []
    return textAt(recordAt(endpoint, 'targetRef'), 'uid') ?? []
  })
  return { meta: lean(meta), service, podUids: [...new Set(podUids)] }
}
