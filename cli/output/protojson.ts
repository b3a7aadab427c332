/**
 * Answers of gRPC calls as protojson: names as in the protocol, 64-bit numbers as text, bytes as base64, unset
 * scalars with their zero. It follows the descriptors, so a field that is added to a .proto file is shown.
 *
 * @see https://protobuf.dev/programming-guides/json/
 */
import type { PackageDefinition } from '@grpc/proto-loader'
import { definitionsOf } from '../../proto/load.ts'
import type { Json } from './go-json.ts'

type ProtoFile = Parameters<typeof definitionsOf>[0]

/** The part of google.protobuf.DescriptorProto that matters here. */
interface Descriptor {
  readonly name: string
  readonly field: readonly Field[]
  readonly nestedType: readonly Descriptor[]
  readonly options: { readonly mapEntry: boolean } | null
}

interface Field {
  readonly name: string
  readonly label: string
  readonly type: string
  /** As far as it has to be said from within the message. */
  readonly typeName: string
}

/** How the loader marks messages; services and enums are marked otherwise. */
const MESSAGE_FORMAT = 'Protocol Buffer 3 DescriptorProto'

type Descriptors = ReadonlyMap<string, Descriptor>

const LONG: ReadonlySet<string> = new Set([
  'TYPE_INT64',
  'TYPE_UINT64',
  'TYPE_SINT64',
  'TYPE_FIXED64',
  'TYPE_SFIXED64',
])

/** @param type full name of the message, e.g. `spire.api.types.Bundle` */
export function toProtoJson(file: ProtoFile, type: string, message: object): Json {
  return messageToJson(descriptorsOf(definitionsOf(file)), type, message)
}

/** A google.protobuf.Struct as the JSON that it stands for. */
export function structToJson(struct: unknown): Json {
  const fields = memberOf(struct, 'fields')
  return mapValues(isObject(fields) ? fields : {}, valueToJson)
}

function messageToJson(types: Descriptors, type: string, message: object): Json {
  if (type === 'google.protobuf.Struct') return structToJson(message)
  const descriptor = types.get(type)
  if (descriptor === undefined) throw new Error(`no descriptor of ${type}`)
  const members: Record<string, Json> = {}
  for (const field of descriptor.field) {
    // The loader fills in what is unset, all but fields whose presence means something.
    const value = memberOf(message, field.name)
    if (value !== undefined) members[field.name] = fieldToJson(types, type, field, value)
  }
  return members
}

function fieldToJson(types: Descriptors, within: string, field: Field, value: unknown): Json {
  if (field.type === 'TYPE_MESSAGE') {
    const type = resolve(types, within, field.typeName)
    const entry = types.get(type)
    if (entry?.options?.mapEntry === true) {
      const valueField = entry.field.find(({ name }) => name === 'value')
      if (valueField === undefined) throw new Error(`${type} is a map without values`)
      return mapValues(isObject(value) ? value : {}, (one) =>
        fieldToJson(types, type, valueField, one),
      )
    }
    return each(value, (one) => (isObject(one) ? messageToJson(types, type, one) : null))
  }
  return each(value, (one) => scalarToJson(field.type, one))
}

function scalarToJson(type: string, value: unknown): Json {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (LONG.has(type)) return String(value)
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value
  }
  throw new Error(`${type} holds ${typeof value}`)
}

function each(value: unknown, convert: (one: unknown) => Json): Json {
  return Array.isArray(value) ? value.map(convert) : convert(value)
}

function mapValues(map: object, convert: (one: unknown) => Json): Json {
  const result: Record<string, Json> = Object.create(null)
  for (const [name, value] of Object.entries(map)) result[name] = convert(value)
  return result
}

/** google.protobuf.Value. */
function valueToJson(value: unknown): Json {
  const kind = memberOf(value, 'kind')
  const held = typeof kind === 'string' ? memberOf(value, kind) : undefined
  switch (kind) {
    case 'numberValue':
    case 'stringValue':
    case 'boolValue':
      return scalarToJson(kind, held)
    case 'structValue':
      return structToJson(held)
    case 'listValue': {
      const items = memberOf(held, 'values')
      return Array.isArray(items) ? items.map(valueToJson) : []
    }
    default:
      return null
  }
}

const known = new WeakMap<PackageDefinition, Descriptors>()

function descriptorsOf(definitions: PackageDefinition): Descriptors {
  let types = known.get(definitions)
  if (types === undefined) {
    const found = new Map<string, Descriptor>()
    for (const [name, definition] of Object.entries(definitions)) {
      if (!('format' in definition) || definition.format !== MESSAGE_FORMAT) continue
      // Cast: the loader types it as an object; its format says what it is.
      addDescriptor(found, name, definition.type as Descriptor)
    }
    types = found
    known.set(definitions, types)
  }
  return types
}

function addDescriptor(found: Map<string, Descriptor>, name: string, descriptor: Descriptor): void {
  found.set(name, descriptor)
  for (const nested of descriptor.nestedType) {
    addDescriptor(found, `${name}.${nested.name}`, nested)
  }
}

/** Names are said from the innermost scope outwards, as in a .proto file. */
function resolve(types: Descriptors, within: string, name: string): string {
  const scope = within.split('.')
  for (let length = scope.length; length >= 0; length -= 1) {
    const full = [...scope.slice(0, length), name].join('.')
    if (types.has(full)) return full
  }
  throw new Error(`no descriptor of ${name} within ${within}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}
