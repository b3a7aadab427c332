/**
 * The `k8s` selectors of a pod, of a container in it, and of its namespace. Pure. Images are told by name and by digest:
 * which of several names of one image a runtime reports is its own choice, so that the digest is the one to register.
 *
 * @see SPIRE behaviour §4 — selectors of the k8s attestor
 */
import { type Selector, selector } from '../../../spiffe/selector.ts'
import type { ContainerStatus, Pod } from './pod.ts'

const TYPE = 'k8s'

export function podSelectors(pod: Pod): readonly Selector[] {
  return [
    of('sa', pod.serviceAccount),
    of('ns', pod.namespace),
    of('node-name', pod.nodeName),
    of('pod-uid', pod.uid),
    of('pod-name', pod.name),
    of('pod-image-count', String(pod.containers.length)),
    of('pod-init-image-count', String(pod.initContainers.length)),
    ...imageSelectors('pod-image', pod.containers),
    ...imageSelectors('pod-init-image', pod.initContainers),
    ...Object.entries(pod.labels).map(([key, value]) => of(`pod-label:${key}`, value)),
    ...pod.owners.flatMap(({ kind, name, uid }) => [
      of(`pod-owner:${kind}`, name),
      of(`pod-owner-uid:${kind}`, uid),
    ]),
  ]
}

export function containerSelectors(container: ContainerStatus): readonly Selector[] {
  return [of('container-name', container.name), ...imageSelectors('container-image', [container])]
}

export function namespaceSelectors(labels: Readonly<Record<string, string>>): readonly Selector[] {
  return Object.entries(labels).map(([key, value]) => of(`ns-label:${key}`, value))
}

/** Each image once; of a container that has none yet, an empty one, as SPIRE does. */
function imageSelectors(name: string, containers: readonly ContainerStatus[]): readonly Selector[] {
  const images = new Set(containers.flatMap(({ image, imageId }) => [imageId, image]))
  return [...images].map((image) => of(name, image))
}

function of(name: string, value: string): Selector {
  return selector(TYPE, `${name}:${value}`)
}
