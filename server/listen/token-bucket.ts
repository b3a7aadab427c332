/**
 * A token bucket whose takers wait for their turn: taking more than there is puts the bucket into debt, and the
 * debt is the waiting time. Pure: the bucket is a value, the time an argument.
 */

export interface Rate {
  /** Tokens that come back per second, and the most a bucket holds. */
  readonly perSecond: number
}

export interface Bucket {
  /** Below zero while takers wait. */
  readonly tokens: number
  readonly at: number
}

export function fullBucket({ perSecond }: Rate, nowMs: number): Bucket {
  return { tokens: perSecond, at: nowMs }
}

/** @returns the bucket afterwards and how long the taker has to wait first */
export function take(
  bucket: Bucket,
  count: number,
  { perSecond }: Rate,
  nowMs: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  // A clock that was set back gives nothing and takes nothing.
  const elapsedMs = Math.max(0, nowMs - bucket.at)
  const tokens = Math.min(perSecond, bucket.tokens + (elapsedMs * perSecond) / 1000) - count
  return {
    bucket: { tokens, at: nowMs },
    waitMs: tokens >= 0 ? 0 : Math.ceil((-tokens * 1000) / perSecond),
  }
}

/** What a taker who gave up before its turn puts back. */
export function putBack(bucket: Bucket, count: number, { perSecond }: Rate): Bucket {
  return { ...bucket, tokens: Math.min(perSecond, bucket.tokens + count) }
}
