/**
 * google.protobuf.FileDescriptorProto: as much of it as has to be looked at, and its codec. What is not named here
 * is carried along.
 */
import { fileURLToPath } from 'node:url'
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader'

export interface FileDescriptor {
  readonly name: string
  readonly package?: string
  readonly dependency?: readonly string[]
  readonly messageType?: readonly MessageDescriptor[]
  readonly enumType?: readonly EnumDescriptor[]
  readonly service?: readonly ServiceDescriptor[]
}

export interface MessageDescriptor {
  readonly name: string
  readonly field?: readonly FieldDescriptor[]
  readonly nestedType?: readonly MessageDescriptor[]
  readonly enumType?: readonly EnumDescriptor[]
  readonly options?: { readonly mapEntry?: boolean }
}

export interface FieldDescriptor {
  readonly name: string
  readonly jsonName?: string
  /** Of messages and enums; with a dot before it, it is complete. */
  readonly typeName?: string
}

export interface EnumDescriptor {
  readonly name: string
}

export interface ServiceDescriptor {
  readonly name: string
  readonly method?: readonly MethodDescriptor[]
}

export interface MethodDescriptor {
  readonly name: string
  readonly inputType: string
  readonly outputType: string
}

type Codec = MessageTypeDefinition<FileDescriptor, FileDescriptor>

let codec: Codec | undefined

export function decodeFile(bytes: Buffer): FileDescriptor {
  return loadCodec().deserialize(bytes)
}

export function encodeFile(file: FileDescriptor): Buffer {
  return loadCodec().serialize(file)
}

/** Without defaults: a field that says nothing of a oneof must not come to say that it is in the first one. */
function loadCodec(): Codec {
  if (codec === undefined) {
    const includeDirs = [fileURLToPath(new URL('..', import.meta.url))]
    const definitions = loadSync('google/protobuf_descriptors.proto', { includeDirs })
    // Cast: the loader types its map by name only; this name is a message.
    codec = definitions['google.protobuf.FileDescriptorProto'] as Codec
  }
  return codec
}
