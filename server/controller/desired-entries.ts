/**
 * Keeps what the cluster declares in step with the cluster: each change of an object marks the pods that it concerns, and
 * `settle` looks at those again, and at no others. Whatever the order of the changes, the result is that of looking at
 * everything.
 */

import type { ObjectChange } from '../../kubernetes/follow-objects.ts'
import type { EntryFields } from '../entries/entry.ts'
import { addTo, type Multimap, removeFrom, valuesOf } from '../entries/multimap.ts'
import type { EndpointsCopy, NamespaceCopy, NodeCopy, PodCopy } from './cluster-objects.ts'
import type { ClusterSpiffeIdSpec } from './cluster-spiffe-id.ts'
import { type CustomResource, isSpecChange } from './custom-resource.ts'
import { createDeclarations, type Declarations } from './declarations.ts'
import type { Labels } from './label-selector.ts'
import { type Outcome, podOutcomes, type Surroundings, selects } from './pod-outcomes.ts'
import type { RenderSettings } from './render-entry.ts'

export type SpiffeIdResource = CustomResource<ClusterSpiffeIdSpec>
export type StaticResource = CustomResource<EntryFields>

export interface DesiredEntries {
  readonly declarations: Declarations
  readonly spiffeIds: ReadonlyMap<string, SpiffeIdResource>
  readonly statics: ReadonlyMap<string, StaticResource>
  readonly namespaces: ReadonlyMap<string, NamespaceCopy>
  isIgnored(namespace: string): boolean
  podChanged(change: ObjectChange<PodCopy>): void
  nodeChanged(change: ObjectChange<NodeCopy>): void
  namespaceChanged(change: ObjectChange<NamespaceCopy>): void
  endpointsChanged(change: ObjectChange<EndpointsCopy>): void
  spiffeIdChanged(change: ObjectChange<SpiffeIdResource>): void
  staticChanged(change: ObjectChange<StaticResource>): void
  /** Looks at what was marked, at most at so many pods. @returns how many pods that were */
  settle(limit: number): number
}

export interface DesiredOptions {
  readonly settings: RenderSettings
  readonly ignoredNamespaces: readonly RegExp[]
}

export function createDesiredEntries({
  settings,
  ignoredNamespaces,
}: DesiredOptions): DesiredEntries {
  const declarations = createDeclarations()
  const pods = createPods()
  const nodes = new Map<string, NodeCopy>()
  const namespaces = new Map<string, NamespaceCopy>()
  const spiffeIds = new Map<string, SpiffeIdResource>()
  const statics = new Map<string, StaticResource>()
  const services: Multimap<string, EndpointsCopy> = new Map()
  const isIgnored = (name: string) => ignoredNamespaces.some((pattern) => pattern.test(name))
  const around: Surroundings = {
    settings,
    *specs() {
      for (const { source, spec } of spiffeIds.values()) {
        if (spec.kind === 'readable') yield { source, spec: spec.value }
      }
    },
    namespaceLabels: (name) => namespaces.get(name)?.labels,
    isIgnored,
    node: (name) => nodes.get(name),
    servicesOf: (uid) => [...new Set([...valuesOf(services, uid)].map(({ service }) => service))],
  }
  return {
    ...{ declarations, spiffeIds, statics, namespaces, isIgnored },
    podChanged: pods.changed,
    nodeChanged(change) {
      const { name } = (change.kind === 'set' ? change.object : change.before).meta
      if (change.kind === 'removed') nodes.delete(name)
      else nodes.set(name, change.object)
      if (change.kind === 'set' && change.before?.document.equals(change.object.document)) return
      pods.markNode(name)
    },
    namespaceChanged(change) {
      const { name } = (change.kind === 'set' ? change.object : change.before).meta
      if (change.kind === 'removed') namespaces.delete(name)
      else namespaces.set(name, change.object)
      if (change.kind === 'set' && isSameLabels(change.before?.labels, change.object.labels)) return
      pods.markNamespace(name)
    },
    endpointsChanged(change) {
      const before = change.before
      const now = change.kind === 'set' ? change.object : undefined
      for (const uid of before?.podUids ?? []) {
        if (before !== undefined) removeFrom(services, uid, before)
        pods.mark(uid)
      }
      for (const uid of now?.podUids ?? []) {
        if (now !== undefined) addTo(services, uid, now)
        pods.mark(uid)
      }
    },
    spiffeIdChanged(change) {
      const { before } = change
      const now = change.kind === 'set' ? change.object : undefined
      if (now === undefined && before !== undefined) spiffeIds.delete(before.meta.uid)
      if (now !== undefined) spiffeIds.set(now.meta.uid, now)
      if (now !== undefined && !isSpecChange(now, before)) return
      markSelected(pods, [before, now], (name) => namespaces.get(name)?.labels)
    },
    staticChanged(change) {
      const { before } = change
      if (change.kind === 'removed') {
        statics.delete(change.before.meta.uid)
        declarations.replace(change.before.meta.uid, [])
        return
      }
      const { object } = change
      statics.set(object.meta.uid, object)
      if (isSpecChange(object, before))
        declarations.replace(object.meta.uid, [staticOutcome(object)])
    },
    settle(limit) {
      const marked = pods.takeMarked(limit)
      for (const uid of marked) {
        const pod = pods.get(uid)
        declarations.replace(uid, pod === undefined ? [] : podOutcomes(pod, around))
      }
      return marked.length
    },
  }
}

function staticOutcome({ source, spec }: StaticResource): Outcome {
  return spec.kind === 'readable'
    ? { source, result: { kind: 'entry', fields: spec.value } }
    : { source, result: { kind: 'not-rendered', reason: spec.reason } }
}

/** The pods that a ClusterSPIFFEID selects, as it was or as it is. */
function markSelected(
  pods: Pods,
  resources: readonly (SpiffeIdResource | undefined)[],
  namespaceLabels: (name: string) => Labels | undefined,
): void {
  const specs = resources.flatMap((one) => (one?.spec.kind === 'readable' ? [one.spec.value] : []))
  if (specs.length === 0) return
  for (const pod of pods.all()) {
    const labels = namespaceLabels(pod.namespace)
    if (labels === undefined) continue
    if (specs.some((spec) => selects(spec, labels, pod))) pods.mark(pod.uid)
  }
}

function isSameLabels(a: Labels | undefined, b: Labels): boolean {
  if (a === undefined) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

type Pods = ReturnType<typeof createPods>

/** All pods by UID, and which of them are marked. */
function createPods() {
  const byUid = new Map<string, PodCopy>()
  const onNode: Multimap<string, PodCopy> = new Map()
  const inNamespace: Multimap<string, PodCopy> = new Map()
  const marked = new Set<string>()
  const mark = (uid: string) => {
    marked.add(uid)
  }
  const forget = (pod: PodCopy) => {
    byUid.delete(pod.uid)
    removeFrom(onNode, pod.nodeName, pod)
    removeFrom(inNamespace, pod.namespace, pod)
  }
  return {
    mark,
    get: (uid: string) => byUid.get(uid),
    all: () => byUid.values(),
    markNode: (name: string) => {
      for (const { uid } of valuesOf(onNode, name)) mark(uid)
    },
    markNamespace: (name: string) => {
      for (const { uid } of valuesOf(inNamespace, name)) mark(uid)
    },
    takeMarked(limit: number): readonly string[] {
      const taken = marked.values().take(limit).toArray()
      for (const uid of taken) marked.delete(uid)
      return taken
    },
    changed(change: ObjectChange<PodCopy>) {
      if (change.before !== undefined) forget(change.before)
      if (change.kind === 'set') {
        const { object } = change
        byUid.set(object.uid, object)
        addTo(onNode, object.nodeName, object)
        addTo(inNamespace, object.namespace, object)
        if (change.before?.document.equals(object.document)) return
      }
      mark((change.kind === 'set' ? change.object : change.before).uid)
    },
  }
}
