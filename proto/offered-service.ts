/**
 * A service as a server offers it. Which methods it has stands in a table that `npm run proto` writes; what their messages look
 * like is read from the .proto file with the first call of any of them, for a server has a dozen of services, most of which nobody
 * calls, and to read them all takes longer than all else at a start.
 */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { METHODS } from './gen/methods.ts'
import { definitionsOf, type ProtoFile } from './load.ts'

/** Whether requests, and whether answers, come as streams. */
interface Streams {
  readonly requests: boolean
  readonly answers: boolean
}

/** @param name of the service that the file defines, e.g. `spire.api.server.entry.v1.Entry` */
export function offeredService(file: ProtoFile, name: keyof typeof METHODS): ServiceDefinition {
  const methods: Readonly<Record<string, Streams>> = METHODS[name]
  const offered: Record<string, MethodDefinition<object, object>> = {}
  for (const [method, { requests, answers }] of Object.entries(methods)) {
    // Cast: a service is a table of its methods, whose codecs take any object.
    const read = () =>
      (definitionsOf(file)[name] as Record<string, MethodDefinition<object, object>>)[method]
    offered[method] = {
      ...{ path: `/${name}/${method}`, requestStream: requests, responseStream: answers },
      ...codecs(() => read() ?? missing(name, method)),
    }
  }
  return offered
}

type Codecs = Pick<
  MethodDefinition<object, object>,
  'requestSerialize' | 'requestDeserialize' | 'responseSerialize' | 'responseDeserialize'
>

function codecs(read: () => Codecs): Codecs {
  let known: Codecs | undefined
  const own = () => {
    known ??= read()
    return known
  }
  return {
    requestSerialize: (message) => own().requestSerialize(message),
    requestDeserialize: (bytes) => own().requestDeserialize(bytes),
    responseSerialize: (message) => own().responseSerialize(message),
    responseDeserialize: (bytes) => own().responseDeserialize(bytes),
  }
}

function missing(service: string, method: string): never {
  throw new Error(`the .proto file of ${service} lacks ${method}; run npm run proto`)
}
