/** Where a path in a container comes from: which volume of its pod, and what in it. Pure: reads the pod's spec alone. */
import { isRecord, type JsonRecord, listAt, recordAt, textAt } from '../../kubernetes/object.ts'

export type VolumeSource =
  | { readonly kind: 'hostPath'; readonly path: string; readonly isReadOnly: boolean }
  | { readonly kind: 'configMap'; readonly name: string; readonly key: string }
  | { readonly kind: 'token'; readonly audience: string }
  | { readonly kind: 'csi'; readonly driver: string }
  /** Another kind of volume, by its name in the spec, e.g. `emptyDir`. */
  | { readonly kind: 'other'; readonly volume: string }
  /** Of the image. */
  | { readonly kind: 'none' }

/** @param container name; init containers are looked at too */
export function volumeSource(podSpec: unknown, container: string, path: string): VolumeSource {
  const mount = mountOf(podSpec, container, path)
  if (mount === undefined) return { kind: 'none' }
  const volume = listAt(podSpec, 'volumes').find((one) => textAt(one, 'name') === mount.volume)
  if (!isRecord(volume)) return { kind: 'none' }
  if (isRecord(volume.hostPath)) {
    const root = textAt(volume.hostPath, 'path') ?? ''
    return { kind: 'hostPath', path: joined(root, mount.rest), isReadOnly: mount.isReadOnly }
  }
  if (isRecord(volume.configMap)) {
    const name = textAt(volume.configMap, 'name') ?? ''
    return { kind: 'configMap', name, key: keyOf(volume.configMap, mount.rest) ?? mount.rest }
  }
  if (isRecord(volume.projected)) return projected(volume.projected, mount.rest)
  if (isRecord(volume.csi)) return { kind: 'csi', driver: textAt(volume.csi, 'driver') ?? '' }
  return { kind: 'other', volume: Object.keys(volume).find((key) => key !== 'name') ?? 'volume' }
}

export function containersOf(podSpec: unknown): readonly JsonRecord[] {
  return [...listAt(podSpec, 'containers'), ...listAt(podSpec, 'initContainers')].filter(isRecord)
}

interface Mount {
  readonly volume: string
  /** What is left of the path in the volume, without a leading slash. */
  readonly rest: string
  readonly isReadOnly: boolean
}

/** The deepest mount above the path. */
function mountOf(podSpec: unknown, container: string, path: string): Mount | undefined {
  const of = containersOf(podSpec).find((one) => textAt(one, 'name') === container)
  let found: (Mount & { readonly at: string }) | undefined
  for (const mount of listAt(of, 'volumeMounts')) {
    const at = (textAt(mount, 'mountPath') ?? '').replace(/\/+$/, '')
    if (path !== at && !path.startsWith(`${at}/`)) continue
    if (found !== undefined && found.at.length > at.length) continue
    const rest = joined(textAt(mount, 'subPath') ?? '', path.slice(at.length + 1))
    const isReadOnly = isRecord(mount) && mount.readOnly === true
    found = { at, volume: textAt(mount, 'name') ?? '', rest, isReadOnly }
  }
  return found
}

function joined(root: string, rest: string): string {
  if (rest === '') return root
  return root === '' ? rest : `${root.replace(/\/+$/, '')}/${rest}`
}

/** @returns undefined when the volume lists its keys, and none has this path */
function keyOf(source: JsonRecord, path: string): string | undefined {
  const items = listAt(source, 'items')
  if (items.length === 0) return path
  const item = items.find((one) => textAt(one, 'path') === path)
  return item === undefined ? undefined : textAt(item, 'key')
}

function projected(volume: JsonRecord, path: string): VolumeSource {
  for (const source of listAt(volume, 'sources')) {
    const token = recordAt(source, 'serviceAccountToken')
    if (textAt(token, 'path') === path) {
      return { kind: 'token', audience: textAt(token, 'audience') ?? '' }
    }
    const configMap = recordAt(source, 'configMap')
    const key = textAt(configMap, 'name') === undefined ? undefined : keyOf(configMap, path)
    if (key !== undefined && listAt(configMap, 'items').length > 0) {
      return { kind: 'configMap', name: textAt(configMap, 'name') ?? '', key }
    }
  }
  return { kind: 'other', volume: 'projected' }
}
