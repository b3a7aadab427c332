/** The loops of the agent: started together and stopped together; when one fails, the agent hears of it. */

export type Loop = (signal: AbortSignal) => Promise<unknown>

export interface RunningLoops extends AsyncDisposable {
  /** Rejects when a loop cannot go on, and never resolves. */
  readonly failed: Promise<never>
}

/** Disposing stops them all and waits until they have ended. */
export function startLoops(loops: readonly Loop[]): RunningLoops {
  const stop = new AbortController()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {}) // heard by whoever waits; nobody has to
  const ended = loops.map((loop) => loop(stop.signal).catch(failure.reject))
  return {
    failed: failure.promise,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(ended)
    },
  }
}
