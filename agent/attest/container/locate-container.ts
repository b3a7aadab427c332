/**
 * Which container a process is in, and of which pod, told by the paths of its control groups. Pure. What the paths do
 * not agree on is refused: an identity is never chosen between two. A process that was given rights over the control
 * groups below its own can name those as it likes, so what it could have made itself is refused as well.
 *
 * Layouts of containerd, CRI-O, Docker and Podman under the drivers `cgroupfs` and `systemd`, versions 1 and 2, and of
 * clusters in containers (kind) are told apart by none of their names: only by a container ID, and a pod UID before it.
 *
 * @see SPIRE behaviour §4 — PID to pod
 */
import { IdentityError } from '../../../spiffe/error.ts'
import type { CgroupPaths } from './cgroup-paths.ts'

export interface ContainerPlace {
  /** 64 hexadecimal digits. */
  readonly containerId: string
  /** Undefined where the layout does not show it. */
  readonly podUid: string | undefined
}

/**
 * 64 hexadecimal digits by convention; letters, digits and underscores may not adjoin. Of a string without other such
 * characters each match is found in one pass.
 */
const CONTAINER_ID = /(?<!\w)[0-9A-Fa-f]{64}(?!\w)/g

/** The systemd driver writes underscores for the dashes; a static pod's UID is a hash without either. */
const POD_UID =
  /(?<!\w)pod([0-9A-Fa-f]{8}(?:[-_][0-9A-Fa-f]{4}){3}[-_][0-9A-Fa-f]{12}|[0-9A-Fa-f]{32})(?!\w)/g

/** What a user of the machine may arrange himself. */
const USER_SLICE = /(?:^|\/)user-(\d{1,10})\.slice(?=\/)/

export interface PodSearch {
  /** Our own user ID: what this user may arrange in his slice is believed, for then the kubelet is his as well. */
  readonly ownUid: number
}

/**
 * A path that shows a pod counts more than one that shows a container alone: where a node is itself a container, some
 * hierarchies show no more than that.
 * @returns undefined for a process that is in no container
 * @throws IdentityError ATTESTATION_FAILED when paths name two pods or containers, or one that may be made up
 */
export function locatePodContainer(
  paths: CgroupPaths,
  { ownUid }: PodSearch,
): ContainerPlace | undefined {
  const places = paths.flatMap((path) => {
    const place = readPodPath(path)
    if (place === undefined) return []
    refuseUserSlice(path, ownUid)
    return [place]
  })
  const pods = places.filter(({ podUid }) => podUid !== undefined)
  const [place] = pods.length > 0 ? pods : places
  if (place === undefined) return undefined
  for (const other of pods.length > 0 ? pods : places) {
    refuseTwo('pod UIDs', place.podUid ?? '', other.podUid ?? '')
    refuseTwo('container IDs', place.containerId, other.containerId)
  }
  return place
}

/**
 * For container engines without pods: of containers within containers, the innermost.
 * @returns undefined for a process that is in no container
 * @throws IdentityError ATTESTATION_FAILED when paths name two containers
 */
export function locateContainer(paths: CgroupPaths): string | undefined {
  const ids = paths.flatMap((path) => readContainerPath(path) ?? [])
  const [id] = ids
  for (const other of ids) refuseTwo('container IDs', id ?? '', other)
  return id
}

/** Containers inside the pod's own are refused too: the kubelet knows none of them, and anybody could have named them. */
function readPodPath(path: string): ContainerPlace | undefined {
  const containers = [...path.matchAll(CONTAINER_ID)]
  const last = containers.at(-1)
  if (last === undefined) return undefined
  const before = path.slice(0, last.index)
  const pods = [...before.matchAll(POD_UID)]
  const [pod] = pods
  for (const other of pods) refuseTwo('pod UIDs', uidOf(pod), uidOf(other))
  const own = containers.filter(({ index }) => index > (pod?.index ?? -1))
  for (const [id] of own) refuseTwo('container IDs', last[0], id)
  return { containerId: last[0], podUid: pod === undefined ? undefined : uidOf(pod) }
}

function readContainerPath(path: string): string | undefined {
  const segment = path.split('/').findLast((one) => one.match(CONTAINER_ID) !== null)
  return segment?.match(CONTAINER_ID)?.[0]
}

function uidOf(match: RegExpExecArray | undefined): string {
  return (match?.[1] ?? '').replaceAll('_', '-')
}

function refuseTwo(what: string, one: string, other: string): void {
  if (one === other) return
  throw new IdentityError('ATTESTATION_FAILED', `multiple ${what} found (${one}, ${other})`)
}

/** Fails closed: in his slice a user may make control groups of any name and move his processes there. */
export function refuseUserSlice(path: string, ownUid: number): void {
  const uid = USER_SLICE.exec(path)?.[1]
  if (uid === undefined || Number(uid) === 0 || Number(uid) === ownUid) return
  throw new IdentityError(
    'ATTESTATION_FAILED',
    `the container's control group lies in user-${uid}.slice, where that user may name control groups as he likes`,
  )
}
