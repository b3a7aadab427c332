/** One call as raw as gRPC has it: a request of any form goes out, and all that comes back is kept to be compared. */
import { type Client, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { definitionsOf } from '../../../proto/load.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import type { Message, Method } from './methods.ts'

/** Bytes go out as they are, whether or not they are a message. */
export type Request = Message | Buffer

/** What a call came to. `replies` has several messages for a stream alone. */
export interface Outcome {
  /** gRPC status number. */
  readonly code: number
  readonly message: string
  /** Of google.rpc.Status, each with its type. */
  readonly details: readonly unknown[]
  readonly replies: readonly Message[]
}

/** What follows a reply of a stream: the next request, patience, or the end of what is to be said. */
export type Respond = (reply: Message) => Request | 'wait' | 'end'

const DEADLINE_MS = 20_000

export function callUnary(client: Client, method: Method, request: Request): Promise<Outcome> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      method.path,
      serializerOf(method),
      method.responseDeserialize,
      request,
      new Metadata(),
      deadline(),
      (error, reply) => resolve(outcomeOf(error, reply === undefined ? [] : [reply])),
    )
  })
}

/** Sends all `requests` at once and half-closes, unless `respond` has more to say. */
export function callStream(
  client: Client,
  method: Method,
  requests: readonly Request[],
  respond?: Respond,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const replies: Message[] = []
    const stream = client.makeBidiStreamRequest(
      method.path,
      serializerOf(method),
      method.responseDeserialize,
      new Metadata(),
      deadline(),
    )
    stream.on('data', (reply: Message) => {
      replies.push(reply)
      const next = respond?.(reply) ?? 'wait'
      if (next === 'end') stream.end()
      else if (next !== 'wait') stream.write(next)
    })
    stream.on('error', (error: ServiceError) => resolve(outcomeOf(error, replies)))
    stream.on('end', () => resolve(outcomeOf(null, replies)))
    for (const request of requests) stream.write(request)
    if (respond === undefined || requests.length === 0) stream.end()
  })
}

const deadline = () => ({ deadline: systemClock.now().getTime() + DEADLINE_MS })

function serializerOf(method: Method): (request: Request) => Buffer {
  return (request) => (Buffer.isBuffer(request) ? request : method.requestSerialize(request))
}

function outcomeOf(error: ServiceError | null, replies: readonly Message[]): Outcome {
  if (error === null) return { code: 0, message: '', details: [], replies }
  const { code, details: message, metadata } = error
  return { code, message, details: detailsIn(metadata), replies }
}

interface WireStatus {
  readonly code: number
  readonly message: string
  readonly details: readonly { readonly type_url: string; readonly value: Buffer }[]
}

// Cast: the loader types its map by name only; this name is a message.
const statusType = definitionsOf('status')['google.rpc.Status'] as unknown as MessageTypeDefinition<
  WireStatus,
  WireStatus
>

function detailsIn(metadata: Metadata): readonly unknown[] {
  return metadata.get('grpc-status-details-bin').flatMap((bytes) => {
    const { code, message, details } = statusType.deserialize(Buffer.from(bytes))
    return details.map(({ type_url, value }) => ({ code, message, type_url, value }))
  })
}
