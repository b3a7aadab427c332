/**
 * The pods of this node by a watch at the API server: each change is read once, whoever waits for a pod is woken by it,
 * and an attestation costs no request. While the API server is away the pods that are known stay known.
 *
 * Permissions: list and watch on pods.
 */
import type { Cluster } from '../../../kubernetes/cluster.ts'
import { copyObjects } from '../../../kubernetes/follow-objects.ts'
import type { Log } from '../../../log/open-log.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import type { Random } from '../../../spiffe/random.ts'
import { createNews } from './news.ts'
import { readApiPod } from './pod.ts'
import { indexPods, type PodList } from './pod-list.ts'
import type { PodSource } from './pod-source.ts'

export interface ApiServerPodsDeps {
  readonly cluster: Cluster
  readonly nodeName: string
  /** How long a pod is waited for. */
  readonly patienceMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const PATH = '/api/v1/pods'

export function apiServerPods(deps: ApiServerPodsDeps): PodSource {
  const { cluster, nodeName, patienceMs, clock, random, log } = deps
  const news = createNews(clock)
  let index: PodList | undefined
  let isComplete = false
  const copy = copyObjects({
    ...{ cluster, clock, random, log },
    path: PATH,
    query: { fieldSelector: `spec.nodeName=${nodeName}` },
    read: (object, meta) => {
      const pod = readApiPod(object)
      if (pod === undefined || pod.nodeName === nodeName) return pod && { meta, pod }
      const fields = { pod: `${pod.namespace}/${pod.name}`, node: pod.nodeName }
      log.warn(fields, 'The API server told of a pod of another node, which is left out')
      return undefined
    },
    changed() {
      index = undefined
      news.tell()
    },
    synced() {
      isComplete = true
      news.tell()
    },
  })
  const pods = () => {
    index ??= indexPods([...copy.values()].map(({ pod }) => pod))
    return index
  }
  return {
    async search(look, { signal, patience }) {
      const ms = patience === 'once' && isComplete ? 0 : patienceMs
      const value = await news.until(() => look(pods()), ms, signal)
      if (value !== undefined) return { kind: 'found', value }
      const first = isComplete ? undefined : 'the API server has not listed them yet'
      return { kind: 'gave-up', problem: copy.problem() ?? first }
    },
    async follow(signal) {
      using _cluster = cluster
      await copy.follow(signal)
    },
  }
}
