/**
 * When a stream that broke is begun again. A server that restarts loses all of its agents in one moment: the first
 * attempt is quick, and every further one falls anywhere in a longer and longer window, so that they spread. Who is
 * told that too many come at once spreads wider still.
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'

export interface Comeback {
  /** The pause after one more failure, in milliseconds. */
  next(error: unknown): number
  /** After a success. */
  reset(): void
}

const FIRST_RETRY_MS = 100
const FIRST_SPREAD_MS = 500
const MIN_RETRY_MS = 100
/** None comes later than a polling agent's would. */
const MAX_WINDOW_MS = 5_000
/** Of ten thousand agents, a server that lets in two hundred a second has served the last within this time. */
const MAX_CROWDED_WINDOW_MS = 60_000
const FACTOR = 2

export function createComeback(random: Random): Comeback {
  let windowMs = 0
  return {
    next(error) {
      const isCrowded = error instanceof IdentityError && error.code === 'RATE_LIMITED'
      const capMs = isCrowded ? MAX_CROWDED_WINDOW_MS : MAX_WINDOW_MS
      const isFirst = windowMs === 0
      windowMs = isFirst ? FIRST_RETRY_MS + FIRST_SPREAD_MS : Math.min(windowMs * FACTOR, capMs)
      if (isFirst && !isCrowded) return FIRST_RETRY_MS + random() * FIRST_SPREAD_MS
      return MIN_RETRY_MS + random() * (windowMs - MIN_RETRY_MS)
    },
    reset() {
      windowMs = 0
    },
  }
}
