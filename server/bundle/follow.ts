/** Keeps the local bundle equal to the store when somebody else has written it: at a hint, and from time to time. */
import type { Bell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { LocalBundle } from './local-bundle.ts'

export interface FollowBundleDeps {
  readonly bundle: Pick<LocalBundle, 'refresh'>
  /** Rung when the bundle may have been written. */
  readonly written: Bell
  readonly clock: Clock
  /** The store did not answer; another attempt follows. */
  readonly onFailure: (error: unknown) => void
}

/** When no hint came, for instance because another server wrote. */
const POLL_MS = 5_000

/** Runs until the signal aborts. */
export async function followBundle(
  { bundle, written, clock, onFailure }: FollowBundleDeps,
  signal: AbortSignal,
): Promise<void> {
  signal.addEventListener('abort', written.ring)
  while (!signal.aborted) {
    written.reset()
    try {
      await bundle.refresh()
      await clock.sleep(POLL_MS, written.signal())
    } catch (error) {
      onFailure(error)
      await clock.sleep(POLL_MS, signal)
    }
  }
  signal.removeEventListener('abort', written.ring)
}
