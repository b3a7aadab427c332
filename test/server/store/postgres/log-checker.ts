/**
 * Reads a change log as a follower does, and says whether the log keeps its promise: record after record
 * without gaps, and none that turns up behind one already seen. Knows nothing of how the log is made.
 */

import type { Change, ChangeLog } from '../../../../server/store/change-log.ts'
import { createBell } from '../../../../spiffe/bell.ts'
import { systemClock } from '../../../../spiffe/clock.ts'

/** How many violations are kept; one is enough to fail. */
const MAX_VIOLATIONS = 20
/** How many of the records already seen are read again each time. */
const AGAIN = 50
const POLL_MS = 50

export interface LogChecker extends AsyncDisposable {
  readonly violations: readonly string[]
  /** The last sequence seen. */
  reached(): number
  /** Follows no longer; reads what is there now, and all of it again from the first that was seen. */
  readAll(): Promise<void>
}

/** @param random from 0 to 1: where to read again */
export async function checkLog(changes: ChangeLog, random: () => number): Promise<LogChecker> {
  const violations: string[] = []
  const first = await changes.latest()
  const seen = new Map<number, string>()
  let reached = first
  const accuse = (violation: string) => {
    if (violations.length < MAX_VIOLATIONS) violations.push(violation)
  }

  const readOn = async (): Promise<number> => {
    const read = await changes.after(reached, 1_000)
    if (read.kind === 'pruned') throw new Error('nobody prunes in this model')
    for (const change of read.changes) {
      if (change.sequence !== reached + 1) {
        accuse(`record ${change.sequence} was seen after ${reached}, without what is between`)
      }
      seen.set(change.sequence, nameOf(change))
      reached = Math.max(reached, change.sequence)
    }
    return read.changes.length
  }
  const readAgain = async (from: number, limit: number): Promise<number> => {
    const read = await changes.after(from, limit)
    if (read.kind === 'pruned') throw new Error('nobody prunes in this model')
    for (const change of read.changes.filter(({ sequence }) => sequence <= reached)) {
      const known = seen.get(change.sequence)
      if (known === undefined) {
        accuse(`record ${change.sequence} turned up after ${reached} had been seen`)
        seen.set(change.sequence, nameOf(change))
      } else if (known !== nameOf(change)) {
        accuse(`record ${change.sequence} was ${known} and is ${nameOf(change)} now`)
      }
    }
    return read.changes.at(-1)?.sequence ?? Number.POSITIVE_INFINITY
  }

  const stop = new AbortController()
  const bell = createBell()
  const stopListening = changes.onCommit(bell.ring)
  const reading = (async () => {
    while (!stop.signal.aborted) {
      bell.reset()
      try {
        await readOn()
        await readAgain(first + Math.floor(random() * (reached - first)), AGAIN)
        await systemClock.sleep(POLL_MS, AbortSignal.any([bell.signal(), stop.signal]))
      } catch {
        await systemClock.sleep(POLL_MS, stop.signal) // the model ends connections; what counts is what is read in the end
      }
    }
  })()
  return {
    violations,
    reached: () => reached,
    readAll: async () => {
      stop.abort()
      await reading
      while ((await readOn()) > 0) {}
      for (let from = first; from < reached; ) from = await readAgain(from, 1_000)
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      stopListening()
      await reading
    },
  }
}

const nameOf = ({ kind, key }: Change) => `${kind} ${key}`
