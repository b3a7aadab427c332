/** The loops of a process: started together, stopped together, and none of them ends unnoticed. */

export type Loop = (signal: AbortSignal) => Promise<unknown>

export interface RunningLoops extends AsyncDisposable {
  /** Rejects when a loop cannot go on, and never resolves: what a loop can outlive it reports by itself. */
  readonly failed: Promise<never>
}

/** Disposing stops them all and waits until they have ended. */
export function runLoops(loops: readonly Loop[]): RunningLoops {
  const stop = new AbortController()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {}) // whoever waits for it hears of it; nobody must
  const running = loops.map(async (loop) => {
    try {
      await loop(stop.signal)
    } catch (error) {
      failure.reject(error)
    }
  })
  return {
    failed: failure.promise,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(running)
    },
  }
}
