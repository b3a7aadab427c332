/**
 * Keeps one kind of authority going: takes whatever step is due, then sleeps until the next one. A
 * step that fails is reported and tried again; what was active before goes on signing meanwhile.
 */
import type { Clock } from '../../spiffe/clock.ts'
import { nextStep } from './rotation.ts'
import type { Authority, Slots } from './slots.ts'

/** What rotation needs of the authorities of one kind. */
export interface Rotating<A extends Authority> {
  /** The authorities that are usable now. */
  slots(): Slots<A>
  prepare(): Promise<unknown>
  activate(id: string): Promise<unknown>
}

export interface RotateDeps<A extends Authority> {
  readonly authorities: Rotating<A>
  readonly clock: Clock
  /** A step failed; another attempt follows. */
  readonly onFailure: (error: unknown) => void
}

/** The clock may be set, and a bundle may lose an authority: look again at least this often. */
const CHECK_MS = 10_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** Prepare, activate, and prepare again when the first was made late; more means that steps have no effect. */
const MAX_STEPS = 3

/** Runs until the signal aborts. */
export async function rotate<A extends Authority>(
  { authorities, clock, onFailure }: RotateDeps<A>,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    let pauseMs: number
    try {
      const until = await takeDueSteps(authorities, clock)
      pauseMs = Math.min(until.getTime() - clock.now().getTime(), CHECK_MS)
      retryMs = FIRST_RETRY_MS
    } catch (error) {
      onFailure(error)
      pauseMs = retryMs
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
    await clock.sleep(pauseMs, signal)
  }
}

/** Takes steps until there is nothing to do. @returns when the next step is due */
export async function takeDueSteps<A extends Authority>(
  authorities: Rotating<A>,
  clock: Clock,
): Promise<Date> {
  for (let taken = 0; ; taken += 1) {
    const step = nextStep(authorities.slots(), clock.now())
    if (step.kind === 'wait') return step.until
    if (taken === MAX_STEPS) throw new Error(`${MAX_STEPS} rotation steps had no effect`)
    switch (step.kind) {
      case 'prepare':
        await authorities.prepare()
        break
      case 'activate':
        await authorities.activate(step.authority.id)
        break
      default:
        step satisfies never
    }
  }
}
