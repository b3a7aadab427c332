/** How long somebody waits for a piece of work: a signal to give to it, and whether it was time that ran out. */
import type { Clock } from './clock.ts'

/** Disposing ends the wait: what is over is not broken off any more, and no sleep is left behind. */
export interface Deadline extends Disposable {
  /** Aborts when the time is over, or with the signal of whoever asked. */
  readonly signal: AbortSignal
  /** Whether the time ran out, and not whoever asked went away. */
  readonly isOver: boolean
}

/** @param signal of whoever asked */
export function deadlineIn(ms: number, clock: Clock, signal?: AbortSignal): Deadline {
  const done = new AbortController()
  const late = new AbortController()
  void clock.sleep(ms, done.signal).then(() => {
    // The end of the work wakes the sleep as well, and breaks nothing off.
    if (!done.signal.aborted) late.abort(new Error(`no answer within ${ms / 1000} s`))
  })
  return {
    signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    get isOver() {
      return late.signal.aborted
    },
    [Symbol.dispose]: () => done.abort(),
  }
}
