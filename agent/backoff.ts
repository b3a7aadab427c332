/** How long to wait after each failure: longer every time up to a cap, and never the same for two agents. */
import type { Random } from '../spiffe/random.ts'

export interface BackoffOptions {
  readonly initialMs: number
  readonly capMs: number
  readonly random: Random
}

export interface Backoff {
  /** The pause after one more failure, in milliseconds. */
  next(): number
  /** After a success. */
  reset(): void
}

const FACTOR = 1.5
/** To either side. */
const JITTER = 0.1

export function createBackoff({ initialMs, capMs, random }: BackoffOptions): Backoff {
  let pauseMs = initialMs
  return {
    next() {
      const jittered = pauseMs * (1 + (2 * random() - 1) * JITTER)
      pauseMs = Math.min(pauseMs * FACTOR, capMs)
      return jittered
    },
    reset() {
      pauseMs = initialMs
    },
  }
}
