/**
 * The pods of one cluster that have a node, as far as it matters who runs where: a copy that follows the API server,
 * found by name, and by service account and node. Pods that have failed are left out: nothing of theirs runs.
 *
 * A copy lags behind. Who asks for a pod that was just made waits a moment for it; a pod that has just gone may still be
 * found, which gives a node's proxy nothing that it did not have a moment ago.
 *
 * Permissions: `list` and `watch` of `pods`.
 *
 * @see Mesh issuance §2.4 — impersonation
 */
import type { Cluster } from '../../../kubernetes/cluster.ts'
import { copyObjects } from '../../../kubernetes/follow-objects.ts'
import { type ObjectMeta, recordAt, textAt } from '../../../kubernetes/object.ts'
import type { ServiceAccountName } from '../../../kubernetes/review-token.ts'
import type { Log } from '../../../log/open-log.ts'
import { type Bell, createBell } from '../../../spiffe/bell.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import type { Random } from '../../../spiffe/random.ts'

export interface NodePod {
  readonly meta: ObjectMeta
  readonly serviceAccount: string
  readonly node: string
}

/** What a decision about a node may ask. */
export interface KnownPods {
  find(namespace: string, name: string): NodePod | undefined
  /** Some pod of this service account on this node. */
  someOn(node: string, account: ServiceAccountName): NodePod | undefined
}

export interface NodePods extends KnownPods {
  readonly size: number
  readonly isComplete: boolean
  /** Why the copy may be old. */
  problem(): string | undefined
  /**
   * Asks again whenever something has changed, until the answer is final or the time is up; then the last answer counts.
   */
  settle<T extends { readonly isFinal: boolean }>(
    ask: () => T,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<T>
  follow(signal: AbortSignal): Promise<void>
}

export interface NodePodsDeps {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Callers that wait for a change at once; whoever comes then is answered by what is known. */
const MAX_WAITING = 1_000

export function followNodePods(deps: NodePodsDeps): NodePods {
  const places = new Map<string, Map<string, NodePod>>()
  const waiting = new Set<Bell>()
  let isComplete = false
  const wake = () => {
    for (const bell of waiting) bell.ring()
  }
  const copy = copyObjects<NodePod>({
    ...deps,
    path: '/api/v1/pods',
    query: { fieldSelector: 'status.phase!=Failed' },
    read: readNodePod,
    changed(change) {
      if (change.kind === 'removed') leave(places, change.before)
      else {
        if (change.before !== undefined) leave(places, change.before)
        enter(places, change.object)
      }
      wake()
    },
    synced() {
      isComplete = true
      wake()
    },
  })
  return {
    find: copy.get,
    someOn: (node, account) => places.get(placeOf(node, account))?.values().next().value,
    get size() {
      return copy.size
    },
    get isComplete() {
      return isComplete
    },
    problem: copy.problem,
    async settle(ask, waitMs, signal) {
      const bell = createBell()
      if (waiting.size >= MAX_WAITING) return ask()
      waiting.add(bell)
      try {
        const until = deps.clock.now().getTime() + waitMs
        for (;;) {
          bell.reset()
          const answer = ask()
          const leftMs = until - deps.clock.now().getTime()
          if (answer.isFinal || leftMs <= 0 || signal.aborted) return answer
          await deps.clock.sleep(leftMs, AbortSignal.any([signal, bell.signal()]))
        }
      } finally {
        waiting.delete(bell)
      }
    },
    follow: copy.follow,
  }
}

/** @returns undefined for what runs nowhere, or not any more */
function readNodePod(object: unknown, meta: ObjectMeta): NodePod | undefined {
  const spec = recordAt(object, 'spec')
  const node = textAt(spec, 'nodeName') ?? ''
  const serviceAccount = textAt(spec, 'serviceAccountName') ?? ''
  if (node === '' || serviceAccount === '') return undefined
  if (textAt(recordAt(object, 'status'), 'phase') === 'Failed') return undefined
  // Annotations are large and decide nothing.
  return { meta: { ...meta, annotations: {} }, serviceAccount, node }
}

function placeOf(node: string, { namespace, name }: ServiceAccountName): string {
  return `${node} ${namespace}/${name}`
}

function placeOfPod({ meta, serviceAccount, node }: NodePod): string {
  return placeOf(node, { namespace: meta.namespace, name: serviceAccount })
}

function enter(places: Map<string, Map<string, NodePod>>, pod: NodePod): void {
  const place = placeOfPod(pod)
  const there = places.get(place) ?? new Map<string, NodePod>()
  there.set(pod.meta.name, pod)
  places.set(place, there)
}

function leave(places: Map<string, Map<string, NodePod>>, pod: NodePod): void {
  const place = placeOfPod(pod)
  const there = places.get(place)
  there?.delete(pod.meta.name)
  if (there?.size === 0) places.delete(place)
}
