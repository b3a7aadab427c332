/**
 * Takes authorities out of the bundle that expired more than a day ago. Never the last ones: a bundle
 * that trusts nobody cannot be mended by those who trust it.
 *
 * @see SPIRE behaviour §7 — bundle prune
 */
import { pruneExpired } from '../../spiffe/bundle/merge.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { LocalBundle } from './local-bundle.ts'

export interface PruneBundleDeps {
  readonly bundle: Pick<LocalBundle, 'current' | 'update'>
  readonly clock: Clock
  /** Something was taken out. */
  readonly onPruned: () => void
  /** The store did not answer; another attempt follows. */
  readonly onFailure: (error: unknown) => void
}

const HOUR_MS = 60 * 60 * 1000
const PRUNE_EVERY_MS = 6 * HOUR_MS
const GRACE_MS = 24 * HOUR_MS
const RETRY_MS = 60 * 1000

/** Runs until the signal aborts. */
export async function pruneBundle(
  { bundle, clock, onPruned, onFailure }: PruneBundleDeps,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let pauseMs = PRUNE_EVERY_MS
    try {
      const before = bundle.current()
      const after = await bundle.update((current) => pruneExpired(current, clock.now(), GRACE_MS))
      if (after.sequenceNumber !== before.sequenceNumber) onPruned()
    } catch (error) {
      onFailure(error)
      pauseMs = RETRY_MS
    }
    await clock.sleep(pauseMs, signal)
  }
}
