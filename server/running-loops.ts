/** The loops of a process: started together, stopped together, and none of them ends unnoticed. */

export interface RunningLoops extends AsyncDisposable {
  /** Resolves never; rejects when a loop failed, which is a bug: loops report their failures and go on. */
  readonly failed: Promise<never>
}

/** Disposing stops them all and waits for them. */
export function runLoops(
  loops: readonly ((signal: AbortSignal) => Promise<unknown>)[],
): RunningLoops {
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
