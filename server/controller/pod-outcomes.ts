/** What all ClusterSPIFFEIDs together make of one pod. Pure: the same pod in the same cluster gives the same entries. */
import { type NodeCopy, type PodCopy, readDocument } from './cluster-objects.ts'
import type { ClusterSpiffeIdSpec } from './cluster-spiffe-id.ts'
import { type Labels, matchesLabels } from './label-selector.ts'
import type { Source } from './plan.ts'
import { type Rendered, type RenderSettings, renderEntry } from './render-entry.ts'

export interface SpiffeIdSource {
  readonly source: Source
  readonly spec: ClusterSpiffeIdSpec
}

/** What else of the cluster counts. */
export interface Surroundings {
  readonly settings: RenderSettings
  specs(): Iterable<SpiffeIdSource>
  /** Undefined when there is none of this name. */
  namespaceLabels(name: string): Labels | undefined
  isIgnored(namespace: string): boolean
  node(name: string): NodeCopy | undefined
  /** Names of the Services that the pod is ready behind. */
  servicesOf(podUid: string): readonly string[]
}

export interface Outcome {
  readonly source: Source
  readonly result:
    | Rendered
    /** The pod is on no node yet, or on one that is not known yet. */
    | { readonly kind: 'waiting' }
    /** A fallback that is not needed. */
    | { readonly kind: 'covered' }
}

/** One for each ClusterSPIFFEID that selects the pod. */
export function podOutcomes(pod: PodCopy, around: Surroundings): readonly Outcome[] {
  if (around.isIgnored(pod.namespace)) return []
  const labels = around.namespaceLabels(pod.namespace)
  if (labels === undefined) return []
  const selecting = [...around.specs()].filter(({ spec }) => selects(spec, labels, pod))
  if (selecting.length === 0) return []
  const node = around.node(pod.nodeName)
  if (node === undefined)
    return selecting.map(({ source }) => ({ source, result: { kind: 'waiting' } }))
  const input = {
    ...{ uid: pod.uid, namespace: pod.namespace, services: around.servicesOf(pod.uid) },
    pod: readDocument(pod.document),
    node: readDocument(node.document),
  }
  const render = ({ source, spec }: SpiffeIdSource): Outcome => ({
    source,
    result: renderEntry(spec, input, around.settings),
  })
  const first = selecting.filter(({ spec }) => !spec.isFallback).map(render)
  // What the server refuses was rendered: upstream learns of the refusal only later.
  const isCovered = first.some(({ result }) => result.kind === 'entry' || result.kind === 'refused')
  const fallbacks = selecting.filter(({ spec }) => spec.isFallback)
  return [
    ...first,
    ...fallbacks.map(
      (one): Outcome =>
        isCovered ? { source: one.source, result: { kind: 'covered' } } : render(one),
    ),
  ]
}

export function selects(
  spec: Pick<ClusterSpiffeIdSpec, 'namespaceSelector' | 'podSelector'>,
  namespaceLabels: Labels,
  pod: Pick<PodCopy, 'labels'>,
): boolean {
  return (
    matchesLabels(spec.namespaceSelector, namespaceLabels) &&
    matchesLabels(spec.podSelector, pod.labels)
  )
}
