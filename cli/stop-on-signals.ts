/** Turns SIGINT and SIGTERM into an abort. The first asks to stop in order; the second stops at once. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export interface Stop extends Disposable {
  readonly signal: AbortSignal
}

/** @param atOnce what must not be left undone even then; runs before the process is gone */
export function stopOnSignals(atOnce: () => void = () => {}): Stop {
  const stop = new AbortController()
  const forget = () => {
    for (const name of SIGNALS) process.off(name, heard)
  }
  const heard = (name: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      stop.abort()
      return
    }
    forget()
    atOnce()
    process.kill(process.pid, name) // nobody listens any more, so this is the end
  }
  for (const name of SIGNALS) process.on(name, heard)
  return { signal: stop.signal, [Symbol.dispose]: forget }
}
