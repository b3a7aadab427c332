/** Objects of a cluster as the API server sends them, for tests without one. */
import { readMeta } from '../../../kubernetes/object.ts'
import {
  type EndpointsCopy,
  type NamespaceCopy,
  type NodeCopy,
  type PodCopy,
  readEndpoints,
  readNamespace,
  readNode,
  readPod,
} from '../../../server/controller/cluster-objects.ts'
import { parseClusterSpiffeIdSpec } from '../../../server/controller/cluster-spiffe-id.ts'
import { resourceReader } from '../../../server/controller/custom-resource.ts'
import type { SpiffeIdResource } from '../../../server/controller/desired-entries.ts'
import { parseParentIdTemplate } from '../../../server/controller/render-entry.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'

export const settings = {
  trustDomain: parseTrustDomain('example.org'),
  clusterName: 'cluster-a',
  clusterDomain: 'cluster.local',
  parentIdTemplate: parseParentIdTemplate(''),
}

let versions = 0

function read<T>(
  reader: (object: unknown, meta: NonNullable<ReturnType<typeof readMeta>>) => T | undefined,
  metadata: object,
  rest: object = {},
): T {
  versions += 1
  const object = { metadata: { resourceVersion: String(versions), ...metadata }, ...rest }
  const meta = readMeta(object)
  const copy = meta === undefined ? undefined : reader(object, meta)
  if (copy === undefined) throw new Error('it was left out')
  return copy
}

type Labels = Readonly<Record<string, string>>

export const pod = (
  namespace: string,
  name: string,
  uid: string,
  nodeName: string,
  labels: Labels = {},
): PodCopy =>
  read(readPod, { name, namespace, uid, labels }, { spec: { nodeName, serviceAccountName: 'sa' } })

export const node = (name: string, labels: Labels = {}): NodeCopy =>
  read(readNode, { name, uid: `uid-of-${name}`, labels }, { spec: {} })

export const namespace = (name: string, labels: Labels = {}): NamespaceCopy =>
  read(readNamespace, { name, uid: `uid-of-${name}`, labels })

export const endpoints = (
  inNamespace: string,
  service: string,
  podUids: readonly string[],
): EndpointsCopy =>
  read(
    readEndpoints,
    {
      ...{ name: `${service}-slice`, namespace: inNamespace, uid: `uid-of-${service}` },
      labels: { 'kubernetes.io/service-name': service },
    },
    { endpoints: podUids.map((uid) => ({ targetRef: { kind: 'Pod', uid } })) },
  )

export const spiffeId = (name: string, spec: object, generation = 1): SpiffeIdResource =>
  read(
    resourceReader({ className: '', watchesClassless: false }, parseClusterSpiffeIdSpec),
    { name, uid: `uid-of-${name}`, generation, creationTimestamp: '2026-01-01T00:00:00Z' },
    { spec },
  )
