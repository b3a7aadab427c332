/**
 * gRPC server reflection: tells tools such as grpcurl which services there are and what their messages look like.
 * The same for both names of the protocol. It shows what is in the .proto files and nothing of what is served.
 */
import { status } from '@grpc/grpc-js'
import type { PackageDefinition } from '@grpc/proto-loader'
import { IdentityError } from '../../spiffe/error.ts'
import type { ServerReflectionHandlers as V1Handlers } from '../gen/grpc/reflection/v1/ServerReflection.ts'
import type { ServerReflectionRequest } from '../gen/grpc/reflection/v1/ServerReflectionRequest.ts'
import type { ServerReflectionResponseInput } from '../gen/grpc/reflection/v1/ServerReflectionResponse.ts'
import type { ServerReflectionHandlers as AlphaHandlers } from '../gen/grpc/reflection/v1alpha/ServerReflection.ts'
import { definitionsOf, reflectionAlphaApi, reflectionApi } from '../load.ts'
import { addService, type Call, type Endpoint } from '../serve.ts'
import { type DescribedFile, type DescribedFiles, describeFiles } from './described-files.ts'

export interface ReflectionOptions<C> {
  readonly endpoint: Endpoint<C>
  /** Of the services that are served beside reflection itself. */
  readonly definitions: readonly PackageDefinition[]
  /** Counts an open stream, where its connection does not; throws when there are too many. */
  admit?(call: Call<C>): Disposable
}

/** Serves both names of reflection on the endpoint. */
export function addReflection<C>({ endpoint, definitions, admit }: ReflectionOptions<C>): void {
  const all = [...definitions, definitionsOf('reflection'), definitionsOf('reflectionAlpha')]
  const services = all.flatMap(serviceNames).sort()
  // Made when somebody first asks; hardly anybody ever does.
  let described: DescribedFiles | undefined
  const files = () => (described ??= describeFiles(all))
  const reflect = async (
    requests: AsyncIterable<ServerReflectionRequest>,
    call: Call<C>,
    send: (message: ServerReflectionResponseInput) => Promise<void>,
  ) => {
    using _open = admit?.(call)
    const sent = new Set<string>()
    for await (const request of requests) {
      const answer = answerTo(request, { services, files: files(), sent })
      await send({ valid_host: request.host, original_request: request, ...answer })
    }
  }
  const implementation = { ServerReflectionInfo: reflect }
  addService<C, V1Handlers>(endpoint, reflectionApi().service, implementation)
  addService<C, AlphaHandlers>(endpoint, reflectionAlphaApi().service, implementation)
}

function serviceNames(definition: PackageDefinition): readonly string[] {
  return Object.entries(definition).flatMap(([name, one]) => ('format' in one ? [] : [name]))
}

interface Known {
  readonly services: readonly string[]
  readonly files: DescribedFiles
  /** Files that this stream has been given; nobody needs one twice. */
  readonly sent: Set<string>
}

function answerTo(
  request: ServerReflectionRequest,
  { services, files, sent }: Known,
): ServerReflectionResponseInput {
  switch (request.message_request) {
    case 'list_services':
      return { list_services_response: { service: services.map((name) => ({ name })) } }
    case 'file_by_filename':
      return fileAnswer(files.file(request.file_by_filename ?? ''), files, sent)
    case 'file_containing_symbol':
      return fileAnswer(files.fileOf(request.file_containing_symbol ?? ''), files, sent)
    case 'file_containing_extension':
      return NOT_FOUND // none of our files extends anything
    case 'all_extension_numbers_of_type': {
      const type = request.all_extension_numbers_of_type ?? ''
      if (!files.isMessage(type)) return NOT_FOUND
      return { all_extension_numbers_response: { base_type_name: type, extension_number: [] } }
    }
    default:
      throw new IdentityError('REQUEST_INVALID', 'invalid MessageRequest: <nil>')
  }
}

/** In the words that Go's servers use. */
const NOT_FOUND: ServerReflectionResponseInput = {
  error_response: { error_code: status.NOT_FOUND, error_message: 'proto: not found' },
}

/** The file, and before anybody asks for them those that it needs. */
function fileAnswer(
  file: DescribedFile | undefined,
  files: DescribedFiles,
  sent: Set<string>,
): ServerReflectionResponseInput {
  if (file === undefined) return NOT_FOUND
  const wanted = new Set([file])
  // A set hands out what is added while it is walked, and nothing twice.
  for (const one of wanted) {
    for (const name of one.imports) {
      const needed = files.file(name)
      if (needed !== undefined && !sent.has(name)) wanted.add(needed)
    }
  }
  for (const { name } of wanted) sent.add(name)
  const bytes = [...wanted].map((one) => one.bytes)
  return { file_descriptor_response: { file_descriptor_proto: bytes } }
}
