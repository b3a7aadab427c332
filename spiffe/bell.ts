/** Ends a sleep early: who waits gives `signal()` to `Clock.sleep`, who has news rings. */

export interface Bell {
  ring(): void
  /** Call before looking for news: a ring after it cuts the next sleep short, and none is lost. */
  reset(): void
  signal(): AbortSignal
}

export function createBell(): Bell {
  let rung = new AbortController()
  return {
    ring: () => rung.abort(),
    reset: () => {
      rung = new AbortController()
    },
    signal: () => rung.signal,
  }
}
