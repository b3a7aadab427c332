/**
 * How much of something that there is for everybody one process, and one user, may hold. What is left shrinks the share of each, so
 * that whoever comes late finds some, however many processes had as much as they could get.
 */
import { IdentityError } from '../spiffe/error.ts'

/** A process at the other end of a socket, as the kernel told it. */
export interface Holder {
  readonly pid: number
  readonly uid: number
}

export interface Bounds {
  /** What one process may hold; less when there is less than that left. */
  readonly perProcess: number
  readonly total: number
}

export interface Shares {
  /** What keeps this process from holding so much more; undefined: nothing does. */
  excess(who: Holder, amount: number): Excess | undefined
  /** Counts it, within the bounds or not. */
  hold(who: Holder, amount: number): void
  release(who: Holder, amount: number): void
  heldBy(pid: number): number
  heldByUser(uid: number): number
}

export interface Excess {
  readonly whose: 'process' | 'user'
  /** The number of that process or user. */
  readonly id: number
  readonly held: number
  readonly limit: number
}

/**
 * A user may hold as many times what is left: eight ninths of all at most. Less would hit nodes where everything runs as one user.
 * Processes get what is left once, so that many of one user share it as evenly as those of many.
 */
const USER_SHARE = 8

/** Amounts are whole numbers of whatever is shared out. */
export function shareOut({ perProcess, total }: Bounds): Shares {
  const byProcess = new Map<number, number>()
  const byUser = new Map<number, number>()
  let all = 0
  return {
    heldBy: (pid) => byProcess.get(pid) ?? 0,
    heldByUser: (uid) => byUser.get(uid) ?? 0,
    excess({ pid, uid }, amount) {
      const free = Math.max(0, total - all)
      const own = byProcess.get(pid) ?? 0
      const limit = Math.min(perProcess, free)
      if (own + amount > limit) return { whose: 'process', id: pid, held: own, limit }
      const ofUser = byUser.get(uid) ?? 0
      const userLimit = USER_SHARE * free
      if (ofUser + amount <= userLimit) return undefined
      return { whose: 'user', id: uid, held: ofUser, limit: userLimit }
    },
    hold({ pid, uid }, amount) {
      all += amount
      add(byProcess, pid, amount)
      add(byUser, uid, amount)
    },
    release({ pid, uid }, amount) {
      all -= amount
      add(byProcess, pid, -amount)
      add(byUser, uid, -amount)
    },
  }
}

/** Nothing is remembered of whoever holds nothing. */
function add(held: Map<number, number>, id: number, amount: number): void {
  const sum = (held.get(id) ?? 0) + amount
  if (sum === 0) held.delete(id)
  else held.set(id, sum)
}

/** @param what is held, e.g. `open streams` @param advice what its owner can do */
export function refusalOf(
  { whose, id, held, limit }: Excess,
  what: string,
  advice: string,
): IdentityError {
  const why = `${whose} ${id} has ${held} ${what}, the limit is ${limit}; ${advice}`
  return new IdentityError('RATE_LIMITED', why)
}
