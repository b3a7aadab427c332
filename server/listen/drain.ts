/** Ends a gRPC server gently: calls in flight may finish, but not for ever. */
import type { Server } from '@grpc/grpc-js'
import type { Clock } from '../../spiffe/clock.ts'

/** As SPIRE waits. */
const MAX_DRAIN_MS = 10_000

export async function drainServer(server: Server, clock: Clock): Promise<void> {
  const drained = new AbortController()
  server.tryShutdown(() => drained.abort())
  await clock.sleep(MAX_DRAIN_MS, drained.signal)
  // A drained server has closed its connections itself, after what was still to be sent.
  if (!drained.signal.aborted) server.forceShutdown()
}
