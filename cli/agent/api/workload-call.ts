/** Calls to the Workload API: each carries the header without which an agent refuses it. */
import { type ClientReadableStream, Metadata } from '@grpc/grpc-js'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Endpoint } from '../../rpc/endpoint.ts'

/** @see SPIFFE-Workload-Endpoint §4 */
export function securityHeader(): Metadata {
  const metadata = new Metadata()
  metadata.set('workload.spiffe.io', 'true')
  return metadata
}

/** The messages of a stream, until it ends or the caller stops. @throws IdentityError */
export async function* messagesOf<Message>(
  endpoint: Endpoint,
  stream: ClientReadableStream<Message>,
): AsyncGenerator<Message, void, undefined> {
  stream.on('error', () => {}) // thrown below; nobody else listens once the loop was left
  try {
    // Cast: grpc-js types its streams as Readable, whose messages are of any type.
    for await (const message of stream) yield message as Message
  } catch (error) {
    throw endpoint.refusal(error)
  } finally {
    stream.cancel()
  }
}

/** @throws IdentityError also when the stream ends without one */
export async function firstOf<Message>(
  endpoint: Endpoint,
  stream: ClientReadableStream<Message>,
): Promise<Message> {
  for await (const message of messagesOf(endpoint, stream)) return message
  throw new IdentityError('UNAVAILABLE', 'EOF: the agent ended the stream without an answer')
}
