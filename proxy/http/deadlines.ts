/**
 * Time-outs of many connections by one clock loop: setting or moving a deadline is an assignment, which a timer per request
 * is not. Deadlines fall due up to one step late, never early.
 */
import type { Clock } from '../../spiffe/clock.ts'

/** How often the loop looks. */
export const DEADLINE_STEP_MS = 500

/** One thing's deadline; `dueStep` is `NEVER` while nothing is due. */
export interface Deadline {
  dueStep: number
  onDue: () => void
}

const NEVER = Number.POSITIVE_INFINITY

export interface Deadlines {
  /** @param onDue called once, outside of any I/O callback; the deadline is then unset */
  add(onDue: () => void): Deadline
  delete(deadline: Deadline): void
  set(deadline: Deadline, afterMs: number): void
  clear(deadline: Deadline): void
  /** Deadlines that are kept, for tests and the admin endpoint. */
  readonly size: number
}

/** Runs until `signal` aborts; afterwards nothing falls due any more. */
export function openDeadlines(clock: Clock, signal: AbortSignal): Deadlines {
  const kept = new Set<Deadline>()
  let step = 0
  const set = (deadline: Deadline, afterMs: number) => {
    // One more than it takes: the current step is already partly over.
    deadline.dueStep = step + Math.ceil(afterMs / DEADLINE_STEP_MS) + 1
  }
  const look = () => {
    step += 1
    for (const deadline of kept) {
      if (deadline.dueStep > step) continue
      deadline.dueStep = NEVER
      deadline.onDue()
    }
  }
  void (async () => {
    while (!signal.aborted) {
      await clock.sleep(DEADLINE_STEP_MS, signal)
      if (!signal.aborted) look()
    }
  })()
  return {
    add(onDue) {
      const deadline = { dueStep: NEVER, onDue }
      kept.add(deadline)
      return deadline
    },
    delete: (deadline) => {
      kept.delete(deadline)
    },
    set,
    clear: (deadline) => {
      deadline.dueStep = NEVER
    },
    get size() {
      return kept.size
    },
  }
}
