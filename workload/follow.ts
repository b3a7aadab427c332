/**
 * Keeps a stream of the Workload API open: reconnects when it breaks, waits longer each time it fails, and passes on
 * every message that can be used.
 *
 * @see Workload-API §4.2 — connection lifetime; Workload-Endpoint §6 — which failures are final
 */
import type { Clock } from '../spiffe/clock.ts'
import type { IdentityError } from '../spiffe/error.ts'
import type { Random } from '../spiffe/random.ts'
import { createRetry } from './retry.ts'
import { toFailure } from './workload-client.ts'

/** @param retryMs pause before the next attempt; undefined when there will be none */
export type OnFailure = (error: IdentityError, retryMs: number | undefined) => void

export interface FollowDeps<M> {
  open(signal: AbortSignal): AsyncIterable<M>
  /** Throws to discard a message that cannot be used; the stream goes on and the last good one stays. */
  onMessage(message: M): void
  onFailure: OnFailure
  readonly clock: Clock
  readonly random: Random
}

/** Runs until `signal` aborts, or returns after a failure that repeating cannot cure. */
export async function follow<M>(deps: FollowDeps<M>, signal: AbortSignal): Promise<void> {
  const retry = createRetry(deps.random)
  while (!signal.aborted) {
    try {
      for await (const message of deps.open(signal)) {
        if (accept(deps, message)) retry.reset()
      }
    } catch (error) {
      const failure = toFailure(error)
      const isLast = isFinal(failure)
      const pauseMs = isLast ? undefined : retry.next()
      deps.onFailure(failure, pauseMs)
      if (pauseMs === undefined) return
      await deps.clock.sleep(pauseMs, signal)
    }
  }
}

function accept<M>({ onMessage, onFailure }: FollowDeps<M>, message: M): boolean {
  try {
    onMessage(message)
    return true
  } catch (error) {
    onFailure(toFailure(error), 0)
    return false
  }
}

/** An agent that does not understand the request will not understand it the next time either. */
function isFinal({ code }: IdentityError): boolean {
  return code === 'REQUEST_INVALID' || code === 'NOT_IMPLEMENTED'
}
