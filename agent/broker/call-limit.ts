/**
 * How many calls may be open at once, for one broker and for all of them, whatever connections they come over. Beyond that a call is refused, never queued.
 */
import { IdentityError } from '../../spiffe/error.ts'

export interface CallLimits {
  /** Open calls, streams included. */
  readonly perBroker: number
  readonly total: number
}

/** @returns what ends the call; @throws IdentityError RATE_LIMITED */
export type AdmitCall<Who> = (who: Who) => Disposable

export function limitCalls<Who>({ perBroker, total }: CallLimits): AdmitCall<Who> {
  const openByCaller = new Map<Who, number>()
  let open = 0
  return (who) => {
    const own = openByCaller.get(who) ?? 0
    if (own >= perBroker) {
      throw new IdentityError(
        'RATE_LIMITED',
        `this broker has ${own} open calls, the limit is ${perBroker}; close some or share one stream`,
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
