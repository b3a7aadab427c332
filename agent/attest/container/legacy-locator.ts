/**
 * The older way of telling pod and container by control groups, for configurations that ask for it by
 * `use_new_container_locator = false`: the path must end in the container's ID, and mounts are never looked at. Pure.
 */
import { IdentityError } from '../../../spiffe/error.ts'
import type { CgroupPaths } from './cgroup-paths.ts'
import { type ContainerPlace, type PodSearch, refuseUserSlice } from './locate-container.ts'

/** POSIX punctuation. */
const P = '[!-/:-@[-`{-~]'
const NOT_P = '[^!-/:-@[-`{-~]'
const X = '[0-9A-Fa-f]'

const POD_UID = `pod(${X}{8}${P}?${X}{4}${P}?${X}{4}${P}?${X}{4}${P}?${X}{12})`
const POD_PATH = new RegExp(`${P}${POD_UID}${P}(?:${NOT_P}+${P})*(${X}{64})$`)
const CRIO_PATH = new RegExp(`crio${P}(${X}{64})$`)
const ANY_POD = new RegExp(POD_UID)
const PUNCTUATION = new RegExp(P, 'g')

/** @throws IdentityError ATTESTATION_FAILED when paths name two pods or containers, or one that may be made up */
export function locateByLegacyRules(
  paths: CgroupPaths,
  { ownUid }: PodSearch,
): ContainerPlace | undefined {
  const places = paths.flatMap((path) => {
    const place = readPath(path)
    if (place === undefined) return []
    refuseUserSlice(path, ownUid)
    return [place]
  })
  const [first] = places
  for (const { containerId, podUid } of places) {
    if (containerId !== first?.containerId)
      throw two('container IDs', first?.containerId, containerId)
    if (podUid !== first.podUid) throw two('pod UIDs', first.podUid, podUid)
  }
  return first
}

function readPath(whole: string): ContainerPlace | undefined {
  const path = whole.replace(/\.scope$/, '')
  const [, uid, id] = POD_PATH.exec(path) ?? []
  if (uid !== undefined && id !== undefined) {
    return { containerId: id, podUid: uid.replaceAll(PUNCTUATION, '-') }
  }
  // CRI-O under KubeEdge shows no pod; a path that shows one in another form is not taken for such.
  const alone = ANY_POD.test(path) ? undefined : CRIO_PATH.exec(path)?.[1]
  return alone === undefined ? undefined : { containerId: alone, podUid: undefined }
}

function two(what: string, one = '', other = ''): IdentityError {
  return new IdentityError(
    'ATTESTATION_FAILED',
    `multiple ${what} found in cgroups (${one}, ${other})`,
  )
}
