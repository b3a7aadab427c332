/** Every method of the server's APIs by its short name, e.g. `Entry/GetEntry`, as the .proto files define it. */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import {
  agentApi,
  bundleApi,
  debugApi,
  entryApi,
  healthApi,
  localAuthorityApi,
  loggerApi,
  svidApi,
  trustDomainApi,
} from '../../../proto/load.ts'

/** What is compared is messages: their types are those of the .proto files, read at run time. */
export type Message = Readonly<Record<string, unknown>>
export type Method = MethodDefinition<Message, Message>

/** Served on both endpoints. */
const EVERYWHERE: Readonly<Record<string, ServiceDefinition>> = {
  Agent: agentApi().service,
  Bundle: bundleApi().service,
  Entry: entryApi().service,
  SVID: svidApi().service,
  TrustDomain: trustDomainApi().service,
  LocalAuthority: localAuthorityApi().service,
}

/** Served on the admin socket alone. */
const ON_SOCKET: Readonly<Record<string, ServiceDefinition>> = {
  Logger: loggerApi().service,
  Debug: debugApi().service,
  Health: healthApi().service,
}

export const ON_SOCKET_ALONE: ReadonlySet<string> = new Set(
  Object.entries(ON_SOCKET).flatMap(([service, definition]) =>
    Object.keys(definition).map((name) => `${service}/${name}`),
  ),
)

const methods: ReadonlyMap<string, unknown> = new Map(
  Object.entries({ ...EVERYWHERE, ...ON_SOCKET }).flatMap(([service, definition]) =>
    Object.entries(definition).map(([name, method]) => [`${service}/${name}`, method] as const),
  ),
)

/** Health's Watch, a stream, is served by neither: one refusal is all that comes. */
export const METHOD_NAMES: readonly string[] = [...methods.keys()]

/** @param name short, or a full path that may lead nowhere: bytes go there and are not understood */
export function methodOf(name: string): Method {
  if (name.startsWith('/')) return unknownMethod(name)
  const method = methods.get(name)
  if (method === undefined) throw new Error(`there is no method ${name}`)
  // Cast: the definitions are loaded by name; what they take and give is any message.
  return method as Method
}

function unknownMethod(path: string): Method {
  const nothing = () => Buffer.alloc(0)
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: nothing,
    requestDeserialize: () => ({}),
    responseSerialize: nothing,
    responseDeserialize: () => ({}),
  }
}
