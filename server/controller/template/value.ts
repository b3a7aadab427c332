/**
 * Values that templates compute with: data as JSON carries it, each with the Go type it has upstream, because a field
 * that is left out is an empty text for one type and nil for another. Nothing is guessed: what has no type here cannot
 * be looked into.
 */
import { isRecord } from '../../../kubernetes/object.ts'
import { GO_STRUCTS } from './go-structs.ts'
import { templateError } from './template-error.ts'

export type GoType =
  | { readonly kind: 'string' | 'bool' | 'int' | 'float' }
  | { readonly kind: 'list' | 'map' | 'pointer'; readonly of: GoType }
  | { readonly kind: 'struct' | 'opaque'; readonly name: string }

export interface Value {
  /** `missing`: what a map has no entry for, and what `nil` says. */
  readonly type: GoType | { readonly kind: 'missing' }
  /** As in JSON; undefined is the zero value of the type. */
  readonly data: unknown
}

export const STRING: GoType = { kind: 'string' }
export const MISSING: Value = { type: { kind: 'missing' }, data: undefined }

export const textValue = (data: string): Value => ({ type: STRING, data })
export const truthValue = (data: boolean): Value => ({ type: { kind: 'bool' }, data })
export const intValue = (data: number): Value => ({ type: { kind: 'int' }, data })

interface Field {
  /** Undefined: the struct's own fields. */
  readonly jsonName: string | undefined
  readonly type: GoType
}

const SCALARS: Readonly<Record<string, GoType>> = {
  s: STRING,
  b: { kind: 'bool' },
  i: { kind: 'int' },
  f: { kind: 'float' },
}

function parseType(text: string): GoType {
  const of = () => parseType(text.slice(1))
  switch (text[0]) {
    case '[':
      return { kind: 'list', of: of() }
    case '{':
      return { kind: 'map', of: of() }
    case '*':
      return { kind: 'pointer', of: of() }
    case '!':
      return { kind: 'opaque', name: text.slice(1) }
    default:
      return SCALARS[text] ?? { kind: 'struct', name: text }
  }
}

const parsed = new Map<string, ReadonlyMap<string, Field>>()

function fieldsOf(struct: string): ReadonlyMap<string, Field> {
  const known = parsed.get(struct)
  if (known !== undefined) return known
  const fields = new Map<string, Field>()
  for (const row of (GO_STRUCTS[struct] ?? '').split(' ').filter((text) => text !== '')) {
    const [name = '', json = '', type = ''] = row.split(':')
    const jsonName = json === '~' ? undefined : json || name.charAt(0).toLowerCase() + name.slice(1)
    fields.set(name, { jsonName, type: parseType(type) })
  }
  parsed.set(struct, fields)
  return fields
}

/** The fields of embedded structs are found in their outer one too, as in Go. */
function findField(struct: string, name: string): Field | undefined {
  const fields = fieldsOf(struct)
  const own = fields.get(name)
  if (own !== undefined) return own
  for (const { jsonName, type } of fields.values()) {
    if (jsonName !== undefined || type.kind !== 'struct') continue
    const promoted = findField(type.name, name)
    if (promoted !== undefined) return promoted
  }
  return undefined
}

/** What a pointer points to; undefined for a nil pointer, and the value itself for anything else. */
export function pointedTo(value: Value): Value | undefined {
  if (value.type.kind !== 'pointer') return value
  return value.data === undefined || value.data === null
    ? undefined
    : pointedTo({ type: value.type.of, data: value.data })
}

/** `.name` of a value. @throws IdentityError as Go's templates fail */
export function fieldOf(receiver: Value, name: string): Value {
  if (receiver.type.kind === 'missing') return MISSING
  const value = pointedTo(receiver)
  if (value === undefined) {
    throw templateError(`nil pointer: there is nothing to take .${name} of`)
  }
  if (value.type.kind === 'map') return entryOf(value, value.type.of, name) ?? MISSING
  if (value.type.kind === 'struct') {
    const field = findField(value.type.name, name)
    if (field === undefined) {
      throw templateError(`can't evaluate field ${name} in type ${value.type.name}`)
    }
    if (field.jsonName === undefined) return { type: field.type, data: value.data }
    return { type: field.type, data: isRecord(value.data) ? value.data[field.jsonName] : undefined }
  }
  throw templateError(`can't evaluate field ${name} in type ${typeName(value.type)}`)
}

/** The entry of a map; undefined when there is none. */
export function entryOf(map: Value, of: GoType, key: string): Value | undefined {
  return isRecord(map.data) && Object.hasOwn(map.data, key)
    ? { type: of, data: map.data[key] }
    : undefined
}

/** Keys in the order in which Go's templates walk through them: by the bytes of their UTF-8. */
export function keysOf(map: Value): readonly string[] {
  if (!isRecord(map.data)) return []
  return Object.keys(map.data).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

export function itemsOf(list: Value, of: GoType): readonly Value[] {
  return Array.isArray(list.data) ? list.data.map((data) => ({ type: of, data })) : []
}

export function asText(value: Value): string {
  return typeof value.data === 'string' ? value.data : ''
}

export function asNumber(value: Value): number {
  return typeof value.data === 'number' ? value.data : 0
}

/** What `if` and `with` ask. */
export function isTrue(value: Value): boolean {
  switch (value.type.kind) {
    case 'missing':
      return false
    case 'bool':
      return value.data === true
    case 'int':
    case 'float':
      return asNumber(value) !== 0
    case 'string':
      return asText(value) !== ''
    case 'list':
      return itemsOf(value, value.type.of).length > 0
    case 'map':
      return keysOf(value).length > 0
    case 'pointer':
      return pointedTo(value) !== undefined
    case 'struct':
    case 'opaque':
      return true
    default:
      return value.type satisfies never
  }
}

export function typeName(type: Value['type']): string {
  switch (type.kind) {
    case 'list':
      return `[]${typeName(type.of)}`
    case 'map':
      return `map[string]${typeName(type.of)}`
    case 'pointer':
      return `*${typeName(type.of)}`
    case 'struct':
    case 'opaque':
      return type.name
    default:
      return type.kind
  }
}

/** As Go prints it with %v. @throws IdentityError for a struct, of which no name or selector can be made */
export function printed(value: Value): string {
  switch (value.type.kind) {
    case 'missing':
      return '<no value>'
    case 'string':
      return asText(value)
    case 'bool':
      return String(value.data === true)
    case 'int':
      return String(asNumber(value))
    case 'float':
      return printedFloat(asNumber(value))
    case 'list':
      return `[${itemsOf(value, value.type.of).map(printed).join(' ')}]`
    case 'map': {
      const { of } = value.type
      const entries = keysOf(value).map(
        (key) => `${key}:${printed(entryOf(value, of, key) ?? MISSING)}`,
      )
      return `map[${entries.join(' ')}]`
    }
    case 'pointer': {
      const inner = pointedTo(value)
      if (inner !== undefined) return printed(inner)
      // Structs of Kubernetes write themselves, and say it so.
      return value.type.of.kind === 'struct' ? 'nil' : '<nil>'
    }
    case 'struct':
    case 'opaque':
      throw templateError(`a whole ${value.type.name} cannot be written out, only its fields`)
    default:
      return value.type satisfies never
  }
}

/** Go writes an exponent, of two digits at least, from a million on and below a ten-thousandth. */
function printedFloat(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}
