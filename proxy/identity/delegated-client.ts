/**
 * Calls to the Delegated Identity API of the node's agent, ours or a real spire-agent: streams over a connection each, kept open and
 * opened anew when they break. What the agent withdraws is not used any more; while it is away the last answer stays.
 */
import { type ClientReadableStream, credentials } from '@grpc/grpc-js'
import type { EndpointAddress } from '../../proto/endpoint-address.ts'
import type { DelegatedIdentityClient } from '../../proto/gen/spire/api/agent/delegatedidentity/v1/DelegatedIdentity.ts'
import { delegatedIdentityApi } from '../../proto/load.ts'
import { fromStatus } from '../../proto/status.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'
import { follow, type OnFailure } from '../../workload/follow.ts'
import type { Latest } from '../../workload/latest.ts'

export interface DelegatedOptions {
  /** Of the agent's admin socket. */
  readonly address: EndpointAddress
  readonly clock: Clock
  readonly random: Random
  readonly onFailure: OnFailure
}

/** Bundles of thousands of trust domains. */
const MAX_MESSAGE_BYTES = 32 << 20

/**
 * Runs until `signal` aborts, or until the agent has refused for good.
 * @param read throws to discard a message that cannot be used
 */
export async function followDelegated<M, T>(
  { address, clock, random, onFailure }: DelegatedOptions,
  open: (client: DelegatedIdentityClient) => ClientReadableStream<M>,
  { latest, read }: { readonly latest: Latest<T>; readonly read: (message: M) => void },
  signal: AbortSignal,
): Promise<void> {
  await follow<M>(
    {
      open: (stop) => messagesOf(address, open, stop),
      onMessage: read,
      onFailure(error, retryMs) {
        // Fails closed: a delegate that is none any more has no right to what it was given.
        if (error.code === 'NO_IDENTITY_ISSUED') latest.withdraw(error)
        if (retryMs === undefined) latest.fail(error)
        onFailure(error, retryMs)
      },
      clock,
      random,
    },
    signal,
  )
}

async function* messagesOf<M>(
  address: EndpointAddress,
  open: (client: DelegatedIdentityClient) => ClientReadableStream<M>,
  signal: AbortSignal,
): AsyncGenerator<M, void, undefined> {
  const client = new (delegatedIdentityApi())(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    // Our own pauses apply, not those of a connection shared with an earlier attempt.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_reconnect_backoff_ms': 1_000,
  })
  const stream = open(client)
  stream.on('error', () => {}) // told by the iteration; after it nobody would listen
  const cancel = () => stream.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    if (signal.aborted) return
    yield* stream
    throw new IdentityError('UNAVAILABLE', 'the agent ended the stream')
  } catch (error) {
    if (!signal.aborted) throw asFailure(error)
  } finally {
    signal.removeEventListener('abort', cancel)
    stream.cancel()
    client.close()
  }
}

/** PermissionDenied says here that the proxy is no delegate, or has no entry of its own: in either case it has no identity. */
function asFailure(error: unknown): unknown {
  const known = fromStatus(error)
  if (!(known instanceof IdentityError) || known.code !== 'NOT_AUTHORIZED') return known
  return new IdentityError('NO_IDENTITY_ISSUED', known.message, { cause: error })
}
