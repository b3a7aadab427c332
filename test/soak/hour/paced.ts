/** Work that is done again and again at a moderate pace, counted, and never given up for a failure. */
import { systemClock } from '../../../spiffe/clock.ts'
import { reasonOf } from '../../../spiffe/error.ts'

/** What is done. It is given its number, from 0. */
export interface Work {
  readonly name: string
  /** From one begin to the next, in ms; a slow one is followed at once. */
  readonly everyMs: number
  run(round: number): Promise<void>
}

export interface WorkDone {
  readonly name: string
  readonly done: number
  readonly failures: number
  /** The first of them, with the time. */
  readonly failed: readonly string[]
}

/** Failures of one kind of work that are told; more say nothing new. */
const MAX_TOLD = 10

/** Until `signal` aborts. What is under way then is finished. */
export async function paced({ name, everyMs, run }: Work, signal: AbortSignal): Promise<WorkDone> {
  const failed: string[] = []
  let [done, failures] = [0, 0]
  for (let round = 0; !signal.aborted; round++) {
    const since = performance.now()
    try {
      await run(round)
      done += 1
    } catch (error) {
      failures += 1
      const when = systemClock.now().toISOString()
      if (failed.length < MAX_TOLD) failed.push(`${when}: ${reasonOf(error)}`)
    }
    await systemClock.sleep(Math.max(0, everyMs - (performance.now() - since)), signal)
  }
  return { name, done, failures, failed }
}
