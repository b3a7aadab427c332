/** Callers of one process that want the turn of the same name: the first has it, the others follow in their order. */

import { aborted } from '../../spiffe/aborted.ts'
import { IdentityError } from '../../spiffe/error.ts'

/** For one name. A turn is wanted by one loop of a process; more than this means that something hangs. */
const MAX_WAITING = 100

export interface OneAtATime {
  /**
   * @returns when the work has ended, or without having begun it when the signal aborted first
   * @throws what the work throws; IdentityError UNAVAILABLE when too many wait
   */
  run(name: string, work: () => Promise<void>, signal: AbortSignal): Promise<void>
  /** Resolves when nobody works or waits. */
  idle(): Promise<void>
}

export function createOneAtATime(): OneAtATime {
  const waiting = new Map<string, { count: number; last: Promise<void> }>()
  return {
    async run(name, work, signal) {
      const line = waiting.get(name) ?? { count: 0, last: Promise.resolve() }
      if (line.count >= MAX_WAITING) {
        const why = `${MAX_WAITING} callers wait for the turn ${JSON.stringify(name)} already, try again later`
        throw new IdentityError('UNAVAILABLE', why)
      }
      const before = line.last
      const done = Promise.withResolvers<void>()
      line.last = before.then(() => done.promise)
      line.count += 1
      waiting.set(name, line)
      try {
        await Promise.race([before, aborted(signal)])
        if (!signal.aborted) await work()
      } finally {
        done.resolve()
        line.count -= 1
        if (line.count === 0) waiting.delete(name)
      }
    },
    async idle() {
      await Promise.all([...waiting.values()].map(({ last }) => last))
    },
  }
}
