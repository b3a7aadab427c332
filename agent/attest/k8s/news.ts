/** Waiting until something that others keep up to date says what is asked of it. */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'

export interface News {
  /** Wakes all who wait. */
  tell(): void
  /**
   * Looks now, and again after each piece of news, for at most `patienceMs`.
   * @returns undefined when there was nothing to be found in that time
   * @throws what `look` throws; IdentityError CANCELED when the signal aborts
   */
  until<T>(
    look: () => T | undefined,
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<T | undefined>
}

export function createNews(clock: Clock): News {
  let next = Promise.withResolvers<void>()
  return {
    tell() {
      next.resolve()
      next = Promise.withResolvers()
    },
    async until(look, patienceMs, signal) {
      const end = clock.now().getTime() + patienceMs
      for (;;) {
        if (signal.aborted) throw new IdentityError('CANCELED', 'the caller has hung up')
        const heard = next.promise
        const value = look()
        const leftMs = end - clock.now().getTime()
        if (value !== undefined || leftMs <= 0) return value
        const woken = new AbortController()
        const sleep = clock.sleep(leftMs, AbortSignal.any([signal, woken.signal]))
        await Promise.race([heard, sleep])
        woken.abort()
      }
    },
  }
}
