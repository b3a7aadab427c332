/** The only place that reads the machine's time. Everything else is given a `Clock`. */

export interface Clock {
  now(): Date
  /** Resolves after `ms`, or as soon as `signal` aborts: callers check the signal, not an error. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Node fires a timer with a longer delay at once, so longer sleeps are taken in several steps. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  // biome-ignore lint/plugin: this is the clock
  now: () => new Date(),
  async sleep(ms, signal) {
    let left = ms
    while (left > 0 && !signal?.aborted) {
      const step = Math.min(left, MAX_TIMER_MS)
      await pause(step, signal)
      left -= step
    }
  },
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    // biome-ignore lint/plugin: this is the clock
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

export function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

export function fromUnixSeconds(seconds: number): Date {
  return new Date(seconds * 1000)
}
