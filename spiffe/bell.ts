/** Ends a sleep early: who waits gives `signal()` to `Clock.sleep`, who has news rings. */

export interface Bell {
  ring(): void
  /** Call before looking for news: a ring after it cuts the next sleep short, and none is lost. */
  reset(): void
  signal(): AbortSignal
}

/** Made once: without a reason, each ring would make an error with a stack that nobody reads. */
const RUNG = new DOMException('the bell has rung', 'AbortError')

export function createBell(): Bell {
  let rung = new AbortController()
  return {
    ring: () => rung.abort(RUNG),
    reset: () => {
      rung = new AbortController()
    },
    signal: () => rung.signal,
  }
}
