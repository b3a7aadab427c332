/**
 * The descriptors of loaded .proto files, in the form that reflection hands out. The loader makes one file of each
 * package, without imports and with names that only their own package understands; here every name becomes
 * complete, and every file says which others it needs.
 */
import type { PackageDefinition } from '@grpc/proto-loader'
import {
  decodeFile,
  encodeFile,
  type FieldDescriptor,
  type FileDescriptor,
  type MessageDescriptor,
  type MethodDescriptor,
} from './file-descriptor.ts'
import { withStandardNames } from './standard-names.ts'

export interface DescribedFile {
  readonly name: string
  /** FileDescriptorProto. */
  readonly bytes: Buffer
  /** Names of the files that it needs. */
  readonly imports: readonly string[]
}

export interface DescribedFiles {
  file(name: string): DescribedFile | undefined
  /** The file of a message, enum, service, method or field, by its complete name. */
  fileOf(symbol: string): DescribedFile | undefined
  isMessage(symbol: string): boolean
}

/** @param definitions what several .proto files define; they may have packages in common */
export function describeFiles(definitions: readonly PackageDefinition[]): DescribedFiles {
  const merged = merge(definitions.flatMap(decodedFiles))
  const owners = new Map(merged.flatMap((file) => typesOf(file).map((type) => [type, file.name])))
  const described = new Map(merged.map((file) => [file.name, describe(file, owners)]))
  const symbols = new Map(
    merged.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, described.get(file.name)])),
  )
  const messages = new Set(merged.flatMap(messagesOf))
  return {
    file: (name) => described.get(name),
    fileOf: (symbol) => symbols.get(symbol),
    isMessage: (symbol) => messages.has(symbol),
  }
}

/** Every type of a definition carries the files of all of them. */
function decodedFiles(definition: PackageDefinition): readonly FileDescriptor[] {
  const types = Object.values(definition).flatMap((one) =>
    'fileDescriptorProtos' in one && Array.isArray(one.fileDescriptorProtos)
      ? [one.fileDescriptorProtos]
      : [],
  )
  return (types[0] ?? []).map(decodeFile).map(withStandardNames)
}

/** One file for each name, with all that any of them has. */
function merge(files: readonly FileDescriptor[]): readonly FileDescriptor[] {
  const groups = Map.groupBy(files, ({ name }) => name)
  return [...groups.values()].flatMap((same) => {
    const [first] = same
    if (first === undefined) return []
    return {
      ...first,
      messageType: distinct(same.flatMap(({ messageType = [] }) => messageType)),
      enumType: distinct(same.flatMap(({ enumType = [] }) => enumType)),
      service: distinct(same.flatMap(({ service = [] }) => service)),
    }
  })
}

function distinct<T extends { readonly name: string }>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [one.name, one])).values()]
}

function describe(file: FileDescriptor, owners: ReadonlyMap<string, string>): DescribedFile {
  const imports = new Set<string>()
  const complete = (name: string, scope: string): string => {
    const full = name.startsWith('.') ? name.slice(1) : lookUp(name, scope, owners)
    const owner = owners.get(full)
    if (owner === undefined) throw new Error(`no loaded file defines ${full}`)
    if (owner !== file.name) imports.add(owner)
    return `.${full}`
  }
  const field = (one: FieldDescriptor, scope: string): FieldDescriptor =>
    one.typeName === undefined ? one : { ...one, typeName: complete(one.typeName, scope) }
  const message = (one: MessageDescriptor, outer: string): MessageDescriptor => {
    const scope = within(outer, one.name)
    return {
      ...one,
      field: (one.field ?? []).map((each) => field(each, scope)),
      nestedType: (one.nestedType ?? []).map((each) => message(each, scope)),
    }
  }
  const { package: scope = '' } = file
  const method = (one: MethodDescriptor): MethodDescriptor => ({
    ...one,
    inputType: complete(one.inputType, scope),
    outputType: complete(one.outputType, scope),
  })
  const whole = {
    ...file,
    messageType: (file.messageType ?? []).map((each) => message(each, scope)),
    service: (file.service ?? []).map((each) => ({
      ...each,
      method: (each.method ?? []).map(method),
    })),
  }
  const needed = [...imports].sort()
  const bytes = encodeFile({ ...whole, dependency: needed })
  return { name: file.name, bytes, imports: needed }
}

/** As protobuf looks names up: in the innermost scope first, then in each around it. */
function lookUp(name: string, scope: string, owners: ReadonlyMap<string, string>): string {
  for (let outer = scope; ; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
    const full = within(outer, name)
    if (owners.has(full) || outer === '') return full
  }
}

function within(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

function messagesOf({ package: scope = '', messageType = [] }: FileDescriptor): readonly string[] {
  return messageType.flatMap((one) => nestedIn(one, scope).map(({ name }) => name))
}

interface Named {
  readonly name: string
  readonly message: MessageDescriptor
}

function nestedIn(message: MessageDescriptor, scope: string): readonly Named[] {
  const name = within(scope, message.name)
  return [
    { name, message },
    ...(message.nestedType ?? []).flatMap((inner) => nestedIn(inner, name)),
  ]
}

/** Messages and enums: what a field may be of. */
function typesOf({
  package: scope = '',
  messageType = [],
  enumType = [],
}: FileDescriptor): readonly string[] {
  const nested = messageType.flatMap((one) => nestedIn(one, scope))
  return [
    ...enumType.map(({ name }) => within(scope, name)),
    ...nested.flatMap(({ name, message }) => [
      name,
      ...(message.enumType ?? []).map((inner) => within(name, inner.name)),
    ]),
  ]
}

function symbolsOf(file: FileDescriptor): readonly string[] {
  const { package: scope = '', messageType = [], service = [] } = file
  const fields = messageType
    .flatMap((one) => nestedIn(one, scope))
    .flatMap(({ name, message }) => (message.field ?? []).map((one) => within(name, one.name)))
  const services = service.flatMap(({ name, method = [] }) => {
    const full = within(scope, name)
    return [full, ...method.map((one) => within(full, one.name))]
  })
  return [...typesOf(file), ...fields, ...services]
}
