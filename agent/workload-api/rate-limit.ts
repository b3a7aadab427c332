/**
 * How often a workload may call each method of the Workload API and of secret discovery. Whoever has the same selectors is the same workload
 * and shares one bucket, so more processes of a kind get no more. Beyond the limit a call is refused at once, never
 * queued, with a status that says "try again".
 *
 * @see SPIRE behaviour §11 — experimental.ratelimit
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Selector } from '../../spiffe/selector.ts'

/** Calls a second, which is also how many may come at once; 0: no limit. */
export interface WorkloadRates {
  readonly DeltaSecrets: number
  readonly FetchJWTBundles: number
  readonly FetchJWTSVID: number
  readonly FetchSecrets: number
  readonly FetchX509Bundles: number
  readonly FetchX509SVID: number
  readonly StreamSecrets: number
}

export const NO_RATES: WorkloadRates = {
  DeltaSecrets: 0,
  FetchJWTBundles: 0,
  FetchJWTSVID: 0,
  FetchSecrets: 0,
  FetchX509Bundles: 0,
  FetchX509SVID: 0,
  StreamSecrets: 0,
}

export interface RateLimitDeps {
  readonly rates: WorkloadRates
  readonly clock: Clock
  /** Told of every call that was refused, by its full method. */
  onExceeded?(method: string): void
}

/** @param method full, e.g. `/SpiffeWorkloadAPI/FetchX509SVID` @throws IdentityError UNAVAILABLE */
export type LimitRate = (method: string, selectors: ReadonlySet<Selector>) => void

export function limitRates({ rates, clock, onExceeded }: RateLimitDeps): LimitRate {
  const limits = new Map(
    Object.entries(rates)
      .filter(([, perSecond]) => perSecond > 0)
      .map(([name, perSecond]) => [name, openBuckets(perSecond)]),
  )
  return (method, selectors) => {
    const limit = limits.get(method.slice(method.lastIndexOf('/') + 1))
    if (limit === undefined || limit(keyOf(selectors), clock.now().getTime())) return
    onExceeded?.(method)
    throw new IdentityError('UNAVAILABLE', `rate limit exceeded for ${method}`)
  }
}

/** Two generations of buckets are kept; a workload unseen for both starts with a full one. */
const GENERATION_MS = 60_000
const MAX_BUCKETS_PER_GENERATION = 10_000

interface Bucket {
  readonly tokens: number
  readonly atMs: number
}

/** @returns takes a token of the key's bucket; false when there is none */
function openBuckets(perSecond: number): (key: string, nowMs: number) => boolean {
  let previous = new Map<string, Bucket>()
  let current = new Map<string, Bucket>()
  let since = Number.NEGATIVE_INFINITY
  return (key, nowMs) => {
    const known = current.get(key) ?? previous.get(key)
    const isFull = !current.has(key) && current.size >= MAX_BUCKETS_PER_GENERATION
    if (nowMs - since >= GENERATION_MS || isFull) {
      previous = current
      current = new Map()
      since = nowMs
    }
    const { tokens, atMs } = known ?? { tokens: perSecond, atMs: nowMs }
    // A clock that was set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - atMs)
    const left = Math.min(perSecond, tokens + (elapsedMs * perSecond) / 1_000) - 1
    const isAllowed = left >= 0
    current.set(key, { tokens: isAllowed ? left : left + 1, atMs: nowMs })
    return isAllowed
  }
}

/** The same for the same set, whatever its order; the hash keeps the key small however many selectors there are. */
function keyOf(selectors: ReadonlySet<Selector>): string {
  const text = JSON.stringify([...selectors].sort())
  return createHash('sha256').update(text).digest('base64')
}
