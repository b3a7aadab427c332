/** A clock that moves only when a test says so, and that can wait for somebody to sleep on it. */
import type { Clock } from '../../spiffe/clock.ts'

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

interface Watcher {
  readonly count: number
  readonly notify: () => void
}

export class FakeClock implements Clock {
  #now: number
  readonly #sleepers = new Set<Sleeper>()
  readonly #watchers = new Set<Watcher>()

  constructor(start: Date | string = '2026-01-01T00:00:00Z') {
    this.#now = new Date(start).getTime()
  }

  now(): Date {
    return new Date(this.#now)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper: Sleeper = { until: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake, { once: true })
      for (const watcher of this.#watchers) this.#tell(watcher)
    })
  }

  /** Moves time and wakes, in the order of their time, all whose sleep is over. Negative sets the clock back. */
  advance(ms: number): void {
    this.#now += ms
    const due = [...this.#sleepers].filter(({ until }) => until <= this.#now)
    for (const { wake } of due.sort((a, b) => a.until - b.until)) wake()
  }

  /** Resolves as soon as at least `count` sleep: what was woken has then come round again. */
  sleepers(count: number): Promise<void> {
    return new Promise((resolve) => {
      const watcher: Watcher = { count, notify: resolve }
      this.#watchers.add(watcher)
      this.#tell(watcher)
    })
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  #tell(watcher: Watcher): void {
    if (this.#sleepers.size < watcher.count) return
    this.#watchers.delete(watcher)
    watcher.notify()
  }
}
