/**
 * When an SVID is to be renewed: at half of its life, or so early that it outlives an outage of the configured
 * length. Jitter spreads the agents and the SVIDs that were issued together.
 */

/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number

export interface RenewalPolicy {
  /** `availability_target`; undefined: renew at half life. */
  readonly availabilityTargetSeconds: number | undefined
}

export interface Lifetime {
  readonly notBefore: Date
  readonly expiresAt: Date
}

/** Of the half life, to either side. */
const HALF_LIFE_JITTER = 0.1
/** Earlier than the target, by at most this. */
const TARGET_JITTER_MS = 10 * 60_000
/** An SVID that lives less than this beyond the target would be renewed all the time: it goes by half life. */
const MIN_GRACE_MS = 12 * 3600_000

export function renewalTime(
  { notBefore, expiresAt }: Lifetime,
  { availabilityTargetSeconds }: RenewalPolicy,
  random: Random,
): Date {
  const lifeMs = expiresAt.getTime() - notBefore.getTime()
  const targetMs = (availabilityTargetSeconds ?? 0) * 1000
  if (targetMs > 0 && lifeMs - targetMs >= MIN_GRACE_MS) {
    return new Date(expiresAt.getTime() - targetMs - random() * TARGET_JITTER_MS)
  }
  const jitter = 1 + (2 * random() - 1) * HALF_LIFE_JITTER
  return new Date(expiresAt.getTime() - (lifeMs / 2) * jitter)
}
