/**
 * How many streams may begin in a second. Agents that all come back at once, after a restart, are let in at this
 * rate; a few wait for their turn, the others are told so and come again, or go to another server. Only agents whose
 * SVID has been judged get here, and each has a small rate of its own, so nobody can use up the places of all.
 */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { type Bucket, fullBucket, putBack, type Rate, take } from '../../listen/token-bucket.ts'

export interface Admission {
  /** Resolves at the caller's turn, or when the signal aborts. @throws IdentityError RATE_LIMITED */
  enter(agentId: SpiffeId, signal: AbortSignal): Promise<void>
}

/** Each costs some milliseconds of CPU: TLS, the node's judgement, the complete state. */
const ALL: Rate = { perSecond: 200 }
/** An agent begins one every two minutes, and some more when its servers or its SVID change. */
const EACH: Rate = { perSecond: 8 }
/** Who would wait longer is better off elsewhere, and holds nothing open here meanwhile. */
const MAX_WAIT_MS = 2_000
/** What an agent used is full again after a second: older buckets need not be remembered. */
const MAX_AGE_MS = 1_000

/** @param all the rate of all agents together, if not the usual one */
export function createAdmission(clock: Clock, all: Rate = ALL): Admission {
  let bucket = fullBucket(all, clock.now().getTime())
  const own = createOwnRates(clock)
  return {
    async enter(agentId, signal) {
      if (!own.take(agentId)) {
        const why = `agent ${agentId} begins more than ${EACH.perSecond} streams in a second; a second agent may use its identity`
        throw new IdentityError('RATE_LIMITED', why)
      }
      const { bucket: next, waitMs } = take(bucket, 1, all, clock.now().getTime())
      if (waitMs > MAX_WAIT_MS) {
        const why = `the server lets ${all.perSecond} streams begin in a second, and more are waiting; connect to another server, or again in some seconds`
        throw new IdentityError('RATE_LIMITED', why)
      }
      bucket = next
      if (waitMs === 0) return
      await clock.sleep(waitMs, signal)
      if (signal.aborted) bucket = putBack(bucket, 1, all)
    },
  }
}

/** Buckets of the agents that came within the last two seconds: as many as have attested, at most. */
function createOwnRates(clock: Clock) {
  let young = new Map<SpiffeId, Bucket>()
  let old = young
  let sinceMs = clock.now().getTime()
  return {
    /** @returns whether there was one left */
    take(agentId: SpiffeId): boolean {
      const nowMs = clock.now().getTime()
      if (nowMs - sinceMs >= MAX_AGE_MS) {
        old = young
        young = new Map()
        sinceMs = nowMs
      }
      const before = young.get(agentId) ?? old.get(agentId) ?? fullBucket(EACH, nowMs)
      const { bucket, waitMs } = take(before, 1, EACH, nowMs)
      if (waitMs > 0) return false
      young.set(agentId, bucket)
      return true
    },
  }
}
