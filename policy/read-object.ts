/**
 * Reads the plain object that YAML, JSON or the Kubernetes API gives, field by field, and collects every mistake in it
 * with its place. A field that nobody reads is a mistake: a misspelt restriction would otherwise restrict nothing.
 */
import type { Fault, ObjectName } from './resource.ts'

/** Where a reader stands, and where its findings go. */
export interface Reading {
  readonly path: string
  readonly faults: Fault[]
  readonly warnings: Fault[]
}

export type Fields = Readonly<Record<string, unknown>>

export const at = (reading: Reading, step: string | number): Reading => ({
  ...reading,
  path:
    typeof step === 'number'
      ? `${reading.path}[${step}]`
      : reading.path === ''
        ? step
        : `${reading.path}.${step}`,
})

export function fault(reading: Reading, message: string): undefined {
  reading.faults.push({ field: reading.path, message })
  return undefined
}

export function warn(reading: Reading, message: string): void {
  reading.warnings.push({ field: reading.path, message })
}

/** What stands there, in words that repeat no long values. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return JSON.stringify(typeof value === 'string' ? value.slice(0, MAX_SHOWN) : value)
}

/** Characters of a value that a message repeats. */
const MAX_SHOWN = 120

export const isAbsent = (value: unknown): value is null | undefined =>
  value === undefined || value === null

/** An object with no other fields than these; undefined with a fault for anything else. */
export function readFields(
  reading: Reading,
  value: unknown,
  known: readonly string[],
): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault(reading, `expected an object, found ${shown(value)}`)
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      fault(at(reading, name), `there is no such field; expected one of ${known.join(', ')}`)
    }
  }
  return value as Fields // objects of the parsers have text keys; what the values are is asked one by one
}

/** An absent list is an empty one. `most` is the schema's bound on its length. */
export function readList<T>(
  reading: Reading,
  value: unknown,
  most: number,
  read: (reading: Reading, item: unknown) => T | undefined,
): readonly T[] {
  if (isAbsent(value)) return []
  if (!Array.isArray(value)) {
    fault(reading, `expected a list, found ${shown(value)}`)
    return []
  }
  if (value.length > most)
    fault(reading, `has ${value.length} entries, at most ${most} are allowed`)
  return value
    .map((item: unknown, index) => read(at(reading, index), item))
    .filter((item): item is NonNullable<Awaited<T>> & T => item !== undefined)
}

/** Text that is not empty. Numbers and booleans are told to be quoted: YAML takes `8080` and `yes` for them. */
export function readText(reading: Reading, value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return fault(reading, `expected text, found ${shown(value)}; put it in quotes`)
  }
  if (typeof value !== 'string') return fault(reading, `expected text, found ${shown(value)}`)
  return value === '' ? fault(reading, 'expected text, found an empty one') : value
}

export function readTexts(reading: Reading, value: unknown, most: number): readonly string[] {
  return readList(reading, value, most, readText)
}

/** Texts under texts, e.g. labels. */
export function readTextMap(reading: Reading, value: unknown): Readonly<Record<string, string>> {
  if (isAbsent(value)) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    fault(reading, `expected an object, found ${shown(value)}`)
    return {}
  }
  const entries: (readonly [string, string])[] = []
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string') entries.push([key, text])
    else fault(at(reading, key), `expected text, found ${shown(text)}; put it in quotes`)
  }
  return Object.fromEntries(entries)
}

/** What every object opens with. */
export interface Envelope extends ObjectName {
  readonly annotations: Readonly<Record<string, string>>
  readonly createdMs: number | undefined
  readonly spec: unknown
}

/** `security.istio.io` in the versions that are alike. */
const API_VERSIONS = ['security.istio.io/v1', 'security.istio.io/v1beta1']
const DEFAULT_NAMESPACE = 'default'

/** Metadata has fields of Kubernetes' own, which are passed over; `status` is the control plane's. */
export function readEnvelope(reading: Reading, value: unknown, kind: string): Envelope | undefined {
  const fields = readFields(reading, value, ['apiVersion', 'kind', 'metadata', 'spec', 'status'])
  if (fields === undefined) return undefined
  if (!API_VERSIONS.includes(String(fields.apiVersion))) {
    fault(
      at(reading, 'apiVersion'),
      `expected ${API_VERSIONS.join(' or ')}, found ${shown(fields.apiVersion)}`,
    )
  }
  if (fields.kind !== kind) {
    fault(at(reading, 'kind'), `expected ${kind}, found ${shown(fields.kind)}`)
  }
  const inside = at(reading, 'metadata')
  const metadata = fields.metadata
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    return fault(inside, `expected an object with a name, found ${shown(metadata)}`)
  }
  const { name, namespace, annotations, creationTimestamp } = metadata as Fields
  return {
    name: readText(at(inside, 'name'), name) ?? '',
    namespace: isAbsent(namespace)
      ? DEFAULT_NAMESPACE
      : (readText(at(inside, 'namespace'), namespace) ?? ''),
    annotations: readTextMap(at(inside, 'annotations'), annotations),
    createdMs: readTimestamp(at(inside, 'creationTimestamp'), creationTimestamp),
    spec: fields.spec ?? {},
  }
}

/** YAML parsers may already have made a date of it. */
function readTimestamp(reading: Reading, value: unknown): number | undefined {
  if (isAbsent(value)) return undefined
  const ms = value instanceof Date ? value.getTime() : Date.parse(String(value))
  return Number.isNaN(ms) ? fault(reading, `expected a time, found ${shown(value)}`) : ms
}
