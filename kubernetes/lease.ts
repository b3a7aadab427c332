/**
 * Lets one of several processes do what must be done once: whoever holds the Lease leads. As in client-go, the holder
 * writes the Lease again and again, and others may take it when it has not been written for as long as it says.
 *
 * Fails closed: a holder that could not renew in time stops its work before anybody else may begin, whatever the clock
 * of the machine does meanwhile. Others wait by what they have slept, never by the times that somebody wrote.
 */
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError } from '../spiffe/error.ts'
import type { Random } from '../spiffe/random.ts'
import { createTerm, type Term } from '../spiffe/term.ts'
import type { Cluster } from './cluster.ts'
import {
  createLeaseWatch,
  type LeaseWatch,
  releaseLease,
  renewLease,
  takeLease,
} from './lease-record.ts'

export interface LeaseSettings {
  readonly namespace: string
  readonly name: string
  /** Ours; no two processes may have the same one. */
  readonly identity: string
  /** How long others wait after the holder was last heard of. */
  readonly durationMs: number
  /** How long the holder goes on without having renewed; less than the duration. */
  readonly renewDeadlineMs: number
  /** Between two attempts. */
  readonly retryMs: number
}

export interface LeaseDeps {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface Leadership {
  /** Aborts when we lead no longer, or the process stops. */
  readonly signal: AbortSignal
  /** To be called right before each write. @throws IdentityError UNAVAILABLE when we lead no longer */
  mustLead(): void
}

export type Lead = (leadership: Leadership) => Promise<void>

/** client-go's; spread, so that those who wait do not all ask at once. */
const JITTER = 1.2

/**
 * Waits for the Lease, leads, and waits again when it was lost; gives it back at the end.
 * @param lead runs while we lead; it ends by itself when its signal aborts, and only then do we ask for the Lease again
 */
export async function holdLease(
  settings: LeaseSettings,
  deps: LeaseDeps,
  lead: Lead,
  signal: AbortSignal,
): Promise<void> {
  const watch = createLeaseWatch(settings)
  const { clock, random, log } = deps
  const { retryMs, name, identity } = settings
  while (!signal.aborted) {
    const held = createTerm(settings.renewDeadlineMs, clock, signal)
    const asked = held.begin()
    if (await takeLease(settings, deps, watch, signal)) {
      asked.adopt()
      log.info({ lease: name, identity }, 'Leading')
      await leadWhileRenewed(settings, deps, watch, held, lead)
      if (!signal.aborted) log.warn({ lease: name }, 'Lost the lease; waiting to lead again')
      watch.forget()
    }
    asked.drop()
    const pauseMs = retryMs * (1 + (JITTER - 1) * random())
    await clock.sleep(pauseMs, signal)
    watch.slept(pauseMs)
  }
}

async function leadWhileRenewed(
  settings: LeaseSettings,
  deps: LeaseDeps,
  watch: LeaseWatch,
  term: Term,
  lead: Lead,
): Promise<void> {
  const { clock } = deps
  const { signal } = term
  const mustLead = () => {
    if (!term.isOver()) return
    throw new IdentityError('UNAVAILABLE', `the lease ${settings.name} is not ours any more`)
  }
  const working = lead({ signal, mustLead }).finally(term.finish)
  while (!signal.aborted) {
    await clock.sleep(settings.retryMs, signal)
    if (term.isOver()) break
    const asked = term.begin()
    const renewal = await renewLease(settings, deps, watch, signal)
    if (renewal === 'renewed') asked.adopt()
    else asked.drop()
    // Somebody else holds it: there is nothing to wait for.
    if (renewal === 'taken') term.end()
  }
  try {
    await working
  } finally {
    if (term.isHeld()) await releaseLease(settings, deps, watch)
  }
}
