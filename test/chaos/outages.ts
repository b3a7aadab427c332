/** When the database was away for everybody: then nothing that was written can be told to anybody. */
import type { Clock } from '../../spiffe/clock.ts'

export interface Outages {
  during<T>(work: () => Promise<T>): Promise<T>
  /** How much of this time fell into outages, and into what servers need to come back after one. */
  overlapMs(fromMs: number, untilMs: number): number
}

/** Servers ask again after at most five seconds. */
const RETURN_MS = 6_000

export function createOutages(clock: Clock): Outages {
  const all: { readonly fromMs: number; untilMs: number }[] = []
  return {
    async during(work) {
      const outage = { fromMs: clock.now().getTime(), untilMs: Number.POSITIVE_INFINITY }
      all.push(outage)
      try {
        return await work()
      } finally {
        outage.untilMs = clock.now().getTime() + RETURN_MS
      }
    },
    overlapMs: (fromMs, untilMs) =>
      all.reduce(
        (sum, one) =>
          sum + Math.max(0, Math.min(untilMs, one.untilMs) - Math.max(fromMs, one.fromMs)),
        0,
      ),
  }
}
