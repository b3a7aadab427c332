/** The only place that reads the machine's time. Everything else is given a `Clock`. */

export interface Clock {
  now(): Date
  /** Resolves after `ms`, or as soon as `signal` aborts: callers check the signal, not an error. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A machine that was suspended, or whose clock was set ahead, notices within this time that a sleep is over. */
const MAX_STEP_MS = 10_000

export const systemClock: Clock = {
  // biome-ignore lint/plugin: this is the clock
  now: () => new Date(),
  async sleep(ms, signal) {
    const since = { timer: performance.now(), clock: systemClock.now().getTime() }
    // Timers stand still with the machine, and clocks can be set back: whichever went further counts.
    const leftMs = () =>
      ms - Math.max(performance.now() - since.timer, systemClock.now().getTime() - since.clock)
    for (let left = ms; left > 0 && !signal?.aborted; left = leftMs()) {
      await pause(Math.min(left, MAX_STEP_MS), signal)
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
