/**
 * Says that something has changed, to whoever waits; what it was each looks up. None is missed, none is queued. Those whom it concerns
 * are told a few at a time, so that a thousand open streams keep no caller waiting, and the first of them read while the last are told.
 */

export interface News {
  /** Grows with every `tell`. */
  version(): number
  tell(): void
  /** Resolves as soon as there is news after `version`, or the signal aborts. */
  after(version: number, signal: AbortSignal): Promise<void>
  /**
   * What `look` finds, now or at some news; undefined as soon as the signal aborts. Who finds nothing goes on waiting as it is, which
   * costs as much as the look: of a thousand who wait, most news is for a few. Rejects with what `look` throws.
   */
  until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T | undefined>
}

/** For each turn of the event loop. To look costs little; what is done with what was found, e.g. an answer, much more. */
const FOUND_PER_TURN = 32

/** Looks again. @returns whether the wait is over */
type Wake = () => boolean

/** @param nextTurn calls back when whatever else has come in has been seen to; the event loop's own if left out */
export function createNews(nextTurn: (then: () => void) => unknown = setImmediate): News {
  let current = 0
  const waiting = new Set<Wake>()
  /** Those of them who have not looked since the last news. */
  let told = new Set<Wake>()
  let isAwaited = false
  const turn = () => {
    isAwaited = false
    let left = FOUND_PER_TURN
    for (const wake of told) {
      told.delete(wake)
      if (wake()) left -= 1
      if (left === 0) break
    }
    if (told.size === 0) return
    isAwaited = true
    nextTurn(turn)
  }
  const until = <T>(look: () => T | undefined, signal: AbortSignal) =>
    new Promise<T | undefined>((resolve, reject) => {
      const end = () => {
        waiting.delete(wake)
        told.delete(wake)
        signal.removeEventListener('abort', stop)
        return true
      }
      const stop = () => {
        end()
        resolve(undefined)
      }
      const wake = () => {
        try {
          const found = look()
          if (found === undefined) return false
          resolve(found)
        } catch (error) {
          reject(error) // the others are told all the same
        }
        return end()
      }
      if (signal.aborted) return resolve(undefined)
      const found = look()
      if (found !== undefined) return resolve(found)
      waiting.add(wake)
      signal.addEventListener('abort', stop)
    })
  return {
    version: () => current,
    tell() {
      current += 1
      told = new Set(waiting)
      if (!isAwaited) turn()
    },
    async after(version, signal) {
      await until(() => (current > version ? true : undefined), signal)
    },
    until,
  }
}
