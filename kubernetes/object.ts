/**
 * Reading objects that an API server sent: nothing is assumed of their shape, what is missing is undefined. Readers of
 * one kind of object are built on these and keep only what they need, for a cluster may have many thousands.
 */

export type JsonRecord = Readonly<Record<string, unknown>>

export interface ObjectMeta {
  readonly name: string
  /** Empty for what is not in a namespace. */
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
  /** 0 for what counts none. */
  readonly generation: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly owners: readonly OwnerReference[]
  readonly createdAt: Date | undefined
  readonly deletedAt: Date | undefined
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller: boolean
}

const NOTHING: JsonRecord = Object.freeze({})

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object at this key; an empty one when there is none. */
export function recordAt(value: unknown, key: string): JsonRecord {
  const found = isRecord(value) ? value[key] : undefined
  return isRecord(found) ? found : NOTHING
}

export function listAt(value: unknown, key: string): readonly unknown[] {
  const found = isRecord(value) ? value[key] : undefined
  return Array.isArray(found) ? found : []
}

export function textAt(value: unknown, key: string): string | undefined {
  const found = isRecord(value) ? value[key] : undefined
  return typeof found === 'string' ? found : undefined
}

export function numberAt(value: unknown, key: string): number | undefined {
  const found = isRecord(value) ? value[key] : undefined
  return typeof found === 'number' ? found : undefined
}

/** String values of an object such as `labels`; anything else in it is left out. */
export function textsAt(value: unknown, key: string): Readonly<Record<string, string>> {
  const texts = Object.entries(recordAt(value, key)).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  )
  return Object.fromEntries(texts)
}

/** @returns undefined for what has no name, UID or version, which no object of an API server lacks */
export function readMeta(object: unknown): ObjectMeta | undefined {
  const metadata = recordAt(object, 'metadata')
  const name = textAt(metadata, 'name')
  const uid = textAt(metadata, 'uid')
  const resourceVersion = textAt(metadata, 'resourceVersion')
  if (name === undefined || uid === undefined || resourceVersion === undefined) return undefined
  return {
    ...{ name, uid, resourceVersion },
    namespace: textAt(metadata, 'namespace') ?? '',
    generation: numberAt(metadata, 'generation') ?? 0,
    labels: textsAt(metadata, 'labels'),
    annotations: textsAt(metadata, 'annotations'),
    owners: listAt(metadata, 'ownerReferences').map(readOwner),
    createdAt: timeAt(metadata, 'creationTimestamp'),
    deletedAt: timeAt(metadata, 'deletionTimestamp'),
  }
}

function readOwner(owner: unknown): OwnerReference {
  return {
    apiVersion: textAt(owner, 'apiVersion') ?? '',
    kind: textAt(owner, 'kind') ?? '',
    name: textAt(owner, 'name') ?? '',
    uid: textAt(owner, 'uid') ?? '',
    controller: isRecord(owner) && owner.controller === true,
  }
}

export function timeAt(value: unknown, key: string): Date | undefined {
  const text = textAt(value, key)
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? undefined : new Date(time)
}
