/**
 * Limits per client IP that make callers wait instead of refusing them, as SPIRE's do. Callers on the admin
 * socket are never limited. A batch larger than the bucket could never be served, so it alone is refused.
 *
 * @see SPIRE API §3 — limits
 */
import type { Call } from '../../proto/serve.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Caller } from './caller.ts'
import { type Bucket, fullBucket, putBack, type Rate, take } from './token-bucket.ts'

/** Waits for the caller's turn. @throws IdentityError RATE_LIMITED, CANCELED */
export type Limit = (call: Call<Caller>, count: number) => Promise<void>

export interface RateLimits {
  readonly attestation: Limit
  /** One bucket for workload SVIDs, agent renewals and downstream CAs. */
  readonly signX509: Limit
  readonly signJwt: Limit
  readonly signWit: Limit
  readonly postStatus: Limit
  readonly publishKey: Limit
}

const ATTESTATION: Rate = { perSecond: 1 }
const SIGNING: Rate = { perSecond: 500 }
const POST_STATUS: Rate = { perSecond: 10 }
const PUBLISH_KEY: Rate = { perSecond: 500 }

/** Longer than any deadline a SPIRE agent sets; bounds how many calls can queue up. */
const MAX_WAIT_MS = 60_000
/** Two generations of buckets are kept; a client unseen for both starts anew. */
const GENERATION_MS = 60_000
const MAX_IPS_PER_GENERATION = 50_000

export function openRateLimits(
  switches: { readonly attestation: boolean; readonly signing: boolean },
  clock: Clock,
): RateLimits {
  const signing = () => (switches.signing ? limitPerIp(SIGNING, clock) : unlimited)
  return {
    attestation: switches.attestation ? limitPerIp(ATTESTATION, clock) : unlimited,
    signX509: signing(),
    signJwt: signing(),
    signWit: signing(),
    postStatus: limitPerIp(POST_STATUS, clock),
    publishKey: limitPerIp(PUBLISH_KEY, clock),
  }
}

const unlimited: Limit = async () => {}

export function limitPerIp(rate: Rate, clock: Clock): Limit {
  const buckets = openBuckets(clock)
  return async ({ caller, signal }, count) => {
    if (caller.kind === 'unix') return
    if (count > rate.perSecond) {
      throw new IdentityError(
        'RATE_LIMITED',
        `rate (${count}) exceeds burst size (${rate.perSecond})`,
      )
    }
    const now = clock.now().getTime()
    const before = buckets.find(caller.ip) ?? fullBucket(rate, now)
    const { bucket, waitMs } = take(before, count, rate, now)
    if (waitMs > MAX_WAIT_MS) {
      throw new IdentityError(
        'RATE_LIMITED',
        `rate: Wait(n=${count}) would exceed context deadline`,
      )
    }
    buckets.put(caller.ip, bucket)
    if (waitMs === 0) return
    await clock.sleep(waitMs, signal)
    if (signal.aborted) {
      const current = buckets.find(caller.ip)
      if (current !== undefined) buckets.put(caller.ip, putBack(current, count, rate))
      throw new IdentityError('CANCELED', 'the caller went away while it was waiting for its turn')
    }
  }
}

/** Buckets by IP. Forgetting one gives its client a full bucket early; it never locks anybody out. */
function openBuckets(clock: Clock) {
  let young = new Map<string, Bucket>()
  let old = new Map<string, Bucket>()
  let since = clock.now().getTime()
  return {
    find: (ip: string): Bucket | undefined => young.get(ip) ?? old.get(ip),
    put(ip: string, bucket: Bucket): void {
      const now = clock.now().getTime()
      if (now - since >= GENERATION_MS || young.size >= MAX_IPS_PER_GENERATION) {
        old = young
        young = new Map()
        since = now
      }
      young.set(ip, bucket)
    },
  }
}
