/**
 * Calls to the Workload API: plain gRPC with the security header, as the specification has it. Who calls is found out
 * by the agent; a workload proves nothing and configures nothing.
 *
 * @see Workload-Endpoint §3 to §6
 */
import { type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js'
import type { EndpointAddress } from '../proto/endpoint-address.ts'
import type { SpiffeWorkloadAPIClient } from '../proto/gen/SpiffeWorkloadAPI.ts'
import { workloadApi } from '../proto/load.ts'
import { fromStatus } from '../proto/status.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

/** Larger answers are refused: thousands of SVIDs would fit. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024

export function openClient(address: EndpointAddress): SpiffeWorkloadAPIClient {
  return new (workloadApi())(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    // Our own pauses apply, not those of a connection shared with an earlier attempt.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_reconnect_backoff_ms': 1_000,
  })
}

export function securityHeader(): Metadata {
  const metadata = new Metadata()
  metadata.set('workload.spiffe.io', 'true')
  return metadata
}

/** The messages of one stream over a connection of its own, until it breaks or `signal` aborts. */
export async function* readStream<T>(
  address: EndpointAddress,
  open: (client: SpiffeWorkloadAPIClient, metadata: Metadata) => ClientReadableStream<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const client = openClient(address)
  const stream = open(client, securityHeader())
  stream.on('error', () => {}) // told by the iteration; after it nobody would listen
  const cancel = () => stream.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    if (signal.aborted) return
    yield* stream
    throw new IdentityError('UNAVAILABLE', 'the agent ended the stream')
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', cancel)
    stream.cancel()
    client.close()
  }
}

/** What a failed call means to a workload. */
export function toFailure(error: unknown): IdentityError {
  const known = fromStatus(error)
  if (!(known instanceof IdentityError)) {
    return new IdentityError('UNAVAILABLE', reasonOf(error), { cause: error })
  }
  if (known.code !== 'NOT_AUTHORIZED') return known
  // Workload-Endpoint §6: over this API PermissionDenied says that there is no identity.
  return new IdentityError(
    'NO_IDENTITY_ISSUED',
    `${known.message}: no registration entry matches this process; the agent's log says more`,
    { cause: error },
  )
}
