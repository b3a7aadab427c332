/**
 * When the bundle of another trust domain is fetched next. Pure; all times are milliseconds.
 *
 * @see Federation §4.3 — polling at the refresh hint; SPIRE API §11 — how SPIRE polls
 */
import type { Bundle } from '../../spiffe/bundle.ts'

/** So that a change is known well before whoever published it relies on that. */
const ATTEMPTS_PER_HINT = 4
const LEAST_HINT_SECONDS = 60
const DEFAULT_INTERVAL_MS = 5 * 60_000
const WITHOUT_BUNDLE_MS = 60_000
/** A hint of years would never be followed. */
const MAX_INTERVAL_MS = 24 * 3_600_000
const FIRST_RETRY_MS = 5_000

/** @param bundle as it is kept; undefined when there is none */
export function refreshIntervalMs(bundle: Bundle | undefined): number {
  if (bundle === undefined) return WITHOUT_BUNDLE_MS
  if (bundle.refreshHintSeconds === 0) return DEFAULT_INTERVAL_MS
  const hintSeconds = Math.max(LEAST_HINT_SECONDS, bundle.refreshHintSeconds)
  return Math.min(MAX_INTERVAL_MS, (hintSeconds * 1000) / ATTEMPTS_PER_HINT)
}

/** Doubles from 5 s, and is never longer than the time between two successful attempts. @param failures in a row */
export function retryMs(failures: number, bundle: Bundle | undefined): number {
  const doubled = FIRST_RETRY_MS * 2 ** Math.min(Math.max(failures - 1, 0), 16)
  return Math.min(doubled, refreshIntervalMs(bundle))
}
