/**
 * A time of doing what only one may do at once: it is granted for a while, granted anew again and again, and over when the
 * last grant was asked for too long ago.
 *
 * Fails closed, whatever the clock of the machine does: it ends by a sleep, which no clock that is set back prolongs, and
 * by the clock itself, so that a process that was stopped for a while notices before its next write.
 */
import type { Clock } from './clock.ts'

export interface Renewal {
  /** It was granted: the one before it counts no more. */
  adopt(): void
  /** It was not; what was adopted before goes on. */
  drop(): void
}

export interface Term {
  /** Aborts when the time is over, or whoever it belongs to stops. */
  readonly signal: AbortSignal
  /** It was lost. */
  end(): void
  /** The work is over. */
  finish(): void
  /** What is over without having been lost is given back. */
  isHeld(): boolean
  /** To be asked right before each write. */
  isOver(): boolean
  /** To be called before a renewal is asked for, because that moment counts. */
  begin(): Renewal
}

/** @param limitMs how long it goes on after the last grant was asked for */
export function createTerm(limitMs: number, clock: Clock, stopping: AbortSignal): Term {
  const lost = new AbortController()
  const signal = AbortSignal.any([stopping, lost.signal])
  let isLost = false
  const end = () => {
    if (!signal.aborted) isLost = true
    lost.abort()
  }
  let current = { since: clock.now(), replaced: new AbortController() }
  return {
    signal,
    end,
    finish: () => lost.abort(),
    isHeld: () => !isLost,
    isOver() {
      if (clock.now().getTime() - current.since.getTime() >= limitMs) end()
      return signal.aborted
    },
    begin() {
      const began = { since: clock.now(), replaced: new AbortController() }
      const until = AbortSignal.any([signal, began.replaced.signal])
      const sleeping = clock.sleep(limitMs, until)
      return {
        adopt() {
          current.replaced.abort()
          current = began
          void sleeping.then(() => {
            if (!began.replaced.signal.aborted) end()
          })
        },
        drop() {
          if (current !== began) began.replaced.abort()
        },
      }
    },
  }
}
