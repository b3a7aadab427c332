/** The pods of one node at one time, to be looked up by UID and by container. */
import type { Pod } from './pod.ts'

export interface PodList {
  readonly size: number
  /** More than one only where whoever listed them is wrong. */
  withUid(uid: string): readonly Pod[]
  named(namespace: string, name: string): Pod | undefined
  /** Pods of which a container, an init container or a debug container has this ID. */
  withContainer(containerId: string): readonly Pod[]
}

export function indexPods(pods: readonly Pod[]): PodList {
  const byUid = Map.groupBy(pods, ({ uid }) => uid)
  const pairs = pods.flatMap((pod) =>
    [...pod.containers, ...pod.initContainers, ...pod.ephemeralContainers]
      .filter(({ containerId }) => containerId !== '')
      .map(({ containerId }) => ({ containerId, pod })),
  )
  const byContainer = Map.groupBy(pairs, ({ containerId }) => containerId)
  return {
    size: pods.length,
    withUid: (uid) => byUid.get(uid) ?? [],
    named: (namespace, name) =>
      pods.find((pod) => pod.name === name && pod.namespace === namespace),
    withContainer: (id) => [...new Set(byContainer.get(id)?.map(({ pod }) => pod))],
  }
}
