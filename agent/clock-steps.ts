/**
 * Notices that the wall clock was set, or that the agent did not run for a while: a machine that slept, a process that was
 * stopped. Whatever has expired or become due meanwhile is looked at again at once, and the log says why.
 */
import type { Clock } from '../spiffe/clock.ts'
import type { Loop } from '../spiffe/running-loops.ts'
import type { RunningAgent } from './agent.ts'

export type ClockStep =
  /** Nothing that the agent does by itself happened in this time. */
  { readonly kind: 'ahead'; readonly ms: number } | { readonly kind: 'back'; readonly ms: number }

const LOOK_MS = 5_000
/** A busy machine may keep a process waiting for some time; what is renewed in time does not mind. */
const MIN_AHEAD_MS = 60_000

/** What the clock did between two looks that were to be `LOOK_MS` apart; a step back of less than that is not seen. */
export function stepBetween(before: Date, now: Date): ClockStep | undefined {
  const passedMs = now.getTime() - before.getTime()
  if (passedMs < 0) return { kind: 'back', ms: LOOK_MS - passedMs }
  return passedMs >= LOOK_MS + MIN_AHEAD_MS ? { kind: 'ahead', ms: passedMs - LOOK_MS } : undefined
}

/** Tells of every step until the signal aborts. */
export async function watchClock(
  clock: Clock,
  onStep: (step: ClockStep) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const before = clock.now()
    await clock.sleep(LOOK_MS, signal)
    const step = stepBetween(before, clock.now())
    if (step !== undefined && !signal.aborted) onStep(step)
  }
}

const SAID = {
  ahead:
    'The clock went ahead at once: the machine slept, the agent was stopped, or the clock was set; what has expired meanwhile is not handed out, and is renewed now',
  back: 'The clock was set back: what was obtained later than now is renewed',
} as const
const MS_PER_SECOND = 1_000

export function clockLoop({ deps, cache, standing }: RunningAgent): Loop {
  const onStep = ({ kind, ms }: ClockStep) => {
    deps.log.warn({ seconds: Math.round(ms / MS_PER_SECOND) }, SAID[kind])
    cache.news.tell()
    standing.bell.ring()
  }
  return (stop) => watchClock(deps.clock, onStep, stop)
}
