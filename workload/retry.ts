/** When to try again: at once after a stream that has served, then later and later up to a bound. */
import type { Random } from '../spiffe/random.ts'

export interface Retry {
  /** The pause before the next attempt, in milliseconds. */
  next(): number
  /** After a success. */
  reset(): void
}

const FIRST_MS = 250
const MAX_MS = 30_000
/** To either side, so that the workloads of a node do not come back in step. */
const JITTER = 0.2

export function createRetry(random: Random): Retry {
  let pauseMs = 0
  return {
    next() {
      const jittered = pauseMs * (1 + (2 * random() - 1) * JITTER)
      pauseMs = pauseMs === 0 ? FIRST_MS : Math.min(pauseMs * 2, MAX_MS)
      return jittered
    },
    reset() {
      pauseMs = 0
    },
  }
}
