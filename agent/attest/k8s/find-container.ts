/**
 * Finds the pod and the container of a process among the pods of its node, or says why not, and whether waiting may help.
 * Pure. Where whoever lists the pods contradicts the kernel or itself, it is refused at once.
 */
import { IdentityError } from '../../../spiffe/error.ts'
import type { ContainerPlace } from '../container/locate-container.ts'
import type { ContainerStatus, Pod } from './pod.ts'
import type { PodList } from './pod-list.ts'

export type Found =
  | { readonly kind: 'container'; readonly pod: Pod; readonly container: ContainerStatus }
  /** The pod alone: its container is not known yet, and its selectors are not wanted. */
  | { readonly kind: 'pod'; readonly pod: Pod }
  /** `why` reads on from "not found". */
  | { readonly kind: 'not-yet'; readonly why: string }

export interface FindOptions {
  /** A known pod is enough. */
  readonly needsNoContainer: boolean
}

/** @throws IdentityError ATTESTATION_FAILED when the list contradicts the kernel or itself, or the container gets no identity */
export function findContainer(
  list: PodList,
  { containerId, podUid }: ContainerPlace,
  { needsNoContainer }: FindOptions,
): Found {
  const known = podUid === undefined ? [] : list.withUid(podUid)
  if (known.length > 1) throw wrong(`${known.length} pods have UID ${podUid}: ${named(known)}`)
  const holding = list.withContainer(containerId)
  if (holding.length > 1)
    throw wrong(`${holding.length} pods have container ${containerId}: ${named(holding)}`)
  const [pod] = holding
  if (pod === undefined) return ofMissing(list, { containerId, podUid }, known[0], needsNoContainer)
  if (podUid !== undefined && pod.uid !== podUid) {
    throw wrong(
      `container ${containerId} belongs to pod ${podUid} by its control group, and to pod ${pod.uid} (${named([pod])}) by the list of pods`,
    )
  }
  const withId = (one: ContainerStatus) => one.containerId === containerId
  const container = pod.containers.find(withId) ?? pod.initContainers.find(withId)
  if (container === undefined) {
    throw wrong(
      `container ${containerId} is a debug container of pod ${named([pod])}, which gets none`,
    )
  }
  return { kind: 'container', pod, container }
}

function ofMissing(
  list: PodList,
  { containerId, podUid }: ContainerPlace,
  pod: Pod | undefined,
  needsNoContainer: boolean,
): Found {
  if (pod !== undefined && needsNoContainer) return { kind: 'pod', pod }
  const why =
    pod !== undefined
      ? `pod ${named([pod])} is known, but its status does not show container ${containerId} yet: it is not ready, or has been replaced`
      : podUid !== undefined
        ? `pod ${podUid} is not among the ${list.size} known pods of this node`
        : `container ${containerId} is in none of the ${list.size} known pods of this node`
  return { kind: 'not-yet', why }
}

/** More of them are counted alone. */
const MAX_NAMED = 3

function named(pods: readonly Pod[]): string {
  const names = pods.slice(0, MAX_NAMED).map(({ namespace, name }) => `${namespace}/${name}`)
  const more = pods.length - names.length
  return [...names, ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

function wrong(why: string): IdentityError {
  return new IdentityError('ATTESTATION_FAILED', `no identity of a pod: ${why}`)
}
