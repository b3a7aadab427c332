/** The identity that an agent gives to this very process over the Workload API; a real spire-agent will do. */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { openX509Source } from '../../workload/x509-source.ts'
import type { ProxyIdentity } from './identity.ts'

export interface WorkloadIdentityOptions {
  /** `unix:///absolute/path` */
  readonly socket: string
  readonly clock: Clock
  readonly log: Log
  /** Ends the wait for an identity. Once there is one, it lasts until it is disposed of: whoever drains still needs it. */
  readonly signal: AbortSignal
}

/**
 * Waits until the agent has an identity for us.
 * @throws IdentityError CONFIG_INVALID for the address, CANCELED when `signal` aborts meanwhile
 */
export async function openWorkloadIdentity(
  options: WorkloadIdentityOptions,
): Promise<ProxyIdentity> {
  const { socket, clock, log, signal } = options
  let last = ''
  const giveUp = new AbortController()
  const abort = () => giveUp.abort()
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    const source = await openX509Source({
      socket,
      clock,
      signal: giveUp.signal,
      onFailure({ code, message }, retryMs) {
        // An agent that is away fails at each attempt in the same words.
        const level = message === last ? 'debug' : 'warn'
        last = message
        log[level]({ code, reason: message, retry_ms: retryMs }, 'Workload API is not answering')
      },
    })
    const { id, expiresAt } = source.current().defaultSvid
    log.info({ spiffe_id: id, expires_at: expiresAt.toISOString() }, 'Identity obtained')
    return source
  } catch (error) {
    if (signal.aborted) {
      throw new IdentityError('CANCELED', 'stopped before there was an identity', { cause: error })
    }
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
