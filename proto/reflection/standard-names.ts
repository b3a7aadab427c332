/**
 * Names that protobuf prescribes and the loader does not give: the message behind a map field is called after the
 * field with `Entry` behind it, and each field says what it is called in JSON. Readers refuse, or misread, others.
 */
import type { FieldDescriptor, FileDescriptor, MessageDescriptor } from './file-descriptor.ts'

export function withStandardNames(file: FileDescriptor): FileDescriptor {
  const { package: name, messageType = [] } = file
  const original = messageType.map(standardMessage)
  return { ...file, messageType: name === WELL_KNOWN ? original.map(wellKnown) : original }
}

/** The loader has these types built in, with the names that their fields have in JSON. */
const WELL_KNOWN = 'google.protobuf'

function wellKnown(message: MessageDescriptor): MessageDescriptor {
  const { field = [], nestedType = [] } = message
  return {
    ...message,
    field: field.map((one) => ({ ...one, name: snake(one.name) })),
    nestedType: nestedType.map(wellKnown),
  }
}

function standardMessage(message: MessageDescriptor): MessageDescriptor {
  const { field = [], nestedType = [] } = message
  const maps = new Set(
    nestedType.filter(({ options }) => options?.mapEntry === true).map(({ name }) => name),
  )
  // Each map field has an entry message of its own, called after the field.
  const entryOf = new Map(
    field.flatMap(({ name, typeName = '' }) =>
      maps.has(typeName) ? [[typeName, `${upperCamel(name)}Entry`]] : [],
    ),
  )
  return {
    ...message,
    field: field.map((one) => standardField(one, entryOf)),
    nestedType: nestedType
      .map(standardMessage)
      .map((inner) => ({ ...inner, name: entryOf.get(inner.name) ?? inner.name })),
  }
}

function standardField(
  field: FieldDescriptor,
  entryOf: ReadonlyMap<string, string>,
): FieldDescriptor {
  const { name, typeName } = field
  const entry = typeName === undefined ? undefined : entryOf.get(typeName)
  return {
    ...field,
    jsonName: lowerCamel(name),
    ...(entry === undefined ? {} : { typeName: entry }),
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function lowerCamel(name: string): string {
  return name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase())
}

function upperCamel(name: string): string {
  const camel = lowerCamel(name)
  return camel.charAt(0).toUpperCase() + camel.slice(1)
}
