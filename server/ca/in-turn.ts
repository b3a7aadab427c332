/** Runs jobs one after another, in the order of the calls. A job that fails does not stop those behind it. */
import { IdentityError } from '../../spiffe/error.ts'

export type InTurn = <T>(job: () => Promise<T>) => Promise<T>

/** Callers are two rotation loops and an operator; more than this means that something hangs. */
const MAX_WAITING_JOBS = 100

/** @param what is busy, for the refusal when too many jobs wait */
export function createTurns(what: string): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return async (job) => {
    if (waiting >= MAX_WAITING_JOBS) {
      throw new IdentityError(
        'UNAVAILABLE',
        `${what}: ${MAX_WAITING_JOBS} jobs are waiting already, try again later`,
      )
    }
    waiting += 1
    const turn = last.then(job, job)
    last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      waiting -= 1
    }
  }
}
