/**
 * How many calls may be open at once, for one process and for all of them, so that no workload can use up the
 * agent. Beyond that a call is refused, never queued.
 */
import { IdentityError } from '../../spiffe/error.ts'

export interface CallLimits {
  /** Open calls, streams included. */
  readonly perProcess: number
  readonly total: number
}

export const DEFAULT_CALL_LIMITS: CallLimits = { perProcess: 1_024, total: 16_384 }

/** @returns what ends the call; @throws IdentityError RATE_LIMITED */
export type AdmitCall<Who = number> = (who: Who) => Disposable

/** @param kind what calls are counted for, as an error names it; by default processes, by their number */
export function limitCalls<Who = number>(
  { perProcess, total }: CallLimits,
  kind = 'process',
): AdmitCall<Who> {
  const openByCaller = new Map<Who, number>()
  let open = 0
  return (who) => {
    const own = openByCaller.get(who) ?? 0
    if (own >= perProcess) {
      throw new IdentityError(
        'RATE_LIMITED',
        `this ${kind} has ${own} open calls, the limit is ${perProcess}; close some or share one stream`,
      )
    }
    if (open >= total) {
      throw new IdentityError(
        'RATE_LIMITED',
        `the agent has ${open} open calls, which is its limit; try again later`,
      )
    }
    open += 1
    openByCaller.set(who, own + 1)
    let done = false
    return {
      [Symbol.dispose]() {
        if (done) return
        done = true
        open -= 1
        const left = (openByCaller.get(who) ?? 1) - 1
        if (left === 0) openByCaller.delete(who)
        else openByCaller.set(who, left)
      },
    }
  }
}
