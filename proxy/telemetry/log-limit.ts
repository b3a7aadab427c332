/**
 * Bounds how many lines about refused callers the log gets: whoever is refused may try as often as it likes, and the log must
 * not be filled by it. What was left out is counted in the next line that is written.
 */
import type { Clock } from '../../spiffe/clock.ts'

export interface LogLimit {
  /** @returns how many lines were left out before this one; undefined when this one is to be left out too */
  next(): number | undefined
}

/** Lines in one second. */
const MAX_PER_SECOND = 100

export function createLogLimit(clock: Clock): LogLimit {
  let second = 0
  let written = 0
  let omitted = 0
  return {
    next() {
      const now = Math.floor(clock.now().getTime() / 1000)
      if (now !== second) {
        second = now
        written = 0
      }
      if (written >= MAX_PER_SECOND) {
        omitted += 1
        return undefined
      }
      written += 1
      const before = omitted
      omitted = 0
      return before
    },
  }
}
