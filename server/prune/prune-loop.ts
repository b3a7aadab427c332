/** Clears away what has passed, in small portions, again and again. A failed round is reported, and the next one comes. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../spiffe/clock.ts'

export interface PruneJob {
  /** What is pruned, for the log. */
  readonly what: string
  readonly everyMs: number
  /** The first round comes after a pause too: what has expired meanwhile may come back by itself. */
  readonly waitsFirst?: boolean
  /** In one round; without it, everything. */
  readonly mostPerRound?: number
  /** Removes at most `limit` items. @returns how many */
  prune(now: Date, limit: number): Promise<number>
}

export interface PruneDeps {
  readonly clock: Clock
  readonly onPruned: (what: string, count: number) => void
  readonly onFailure: (what: string, error: unknown) => void
}

/** One portion is one transaction: writers wait for it. */
const ITEMS_PER_PORTION = 500

/** Runs until the signal aborts. */
export async function pruneRegularly(
  job: PruneJob,
  { clock, onPruned, onFailure }: PruneDeps,
  signal: AbortSignal,
): Promise<void> {
  if (job.waitsFirst === true) await clock.sleep(job.everyMs, signal)
  while (!signal.aborted) {
    try {
      const count = await pruneAll(job, clock.now(), signal)
      if (count > 0) onPruned(job.what, count)
    } catch (error) {
      onFailure(job.what, error)
    }
    await clock.sleep(job.everyMs, signal)
  }
}

async function pruneAll(job: PruneJob, now: Date, signal: AbortSignal): Promise<number> {
  const { mostPerRound = Number.POSITIVE_INFINITY } = job
  for (let total = 0; ; await nextTurn()) {
    const portion = Math.min(ITEMS_PER_PORTION, mostPerRound - total)
    const removed = await job.prune(now, portion)
    total += removed
    if (removed < portion || total >= mostPerRound || signal.aborted) return total
  }
}
