/** Says that something has changed, to whoever waits; what it was each looks up. None is missed, none is queued. */

export interface News {
  /** Grows with every `tell`. */
  version(): number
  tell(): void
  /** Resolves as soon as there is news after `version`, or the signal aborts. */
  after(version: number, signal: AbortSignal): Promise<void>
}

export function createNews(): News {
  let current = 0
  const waiting = new Set<() => void>()
  return {
    version: () => current,
    tell() {
      current += 1
      for (const wake of [...waiting]) wake()
    },
    async after(version, signal) {
      if (current > version || signal.aborted) return
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        waiting.add(wake)
        signal.addEventListener('abort', wake)
      })
    },
  }
}
