/**
 * The time before there are policies: an API server that does not answer soon is replaced by what was kept of it. Fails
 * closed: where nothing was kept, the wait goes on, and no connection is taken meanwhile.
 */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'

export interface Waiting {
  /** Resolves when something is in force; rejects when nothing ever will be. */
  readonly first: Promise<void>
  /** Why there is nothing yet. */
  problem(): string | undefined
  /** Puts in force what was kept, if anything was. */
  useKept(): void
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** How long an API server may take to answer before a state that was kept is used instead. */
const PATIENCE_MS = 3_000
/** How often a waiting proxy says so. */
const REMIND_MS = 60_000

/** @throws IdentityError CANCELED when the signal aborts first, and whatever `first` fails with */
export async function waitForPolicies(waiting: Waiting): Promise<void> {
  const { first, problem, useKept, clock, log } = waiting
  const ready = new AbortController()
  const arrived = first.finally(() => ready.abort())
  const signal = AbortSignal.any([waiting.signal, ready.signal])
  const remind = async () => {
    await clock.sleep(PATIENCE_MS, signal)
    if (!signal.aborted) useKept()
    while (!signal.aborted) {
      log.warn({ reason: problem() }, 'Waiting for policies: no connection is taken before')
      await clock.sleep(REMIND_MS, signal)
    }
  }
  await Promise.race([arrived, remind()])
  if (!ready.signal.aborted) {
    throw new IdentityError('CANCELED', 'stopped before there were policies')
  }
  await arrived
}
