/**
 * When an SVID is to be renewed: at half of its life, or earlier if it is to outlive an outage of the configured
 * length. Jitter spreads the agents and the SVIDs that were issued together.
 */
import type { Random } from '../spiffe/random.ts'

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

/** Servers date certificates back by this, for clocks that run behind; it is no part of their life. */
const BACKDATE_MS = 10_000

/**
 * Whether the clock was set back since, by more than servers date back: what was issued then is not valid yet. The time at
 * which it came is compared, not the one that is written in it: a server whose clock runs ahead is asked no more often.
 */
export function isOfTheFuture(obtainedAt: Date, now: Date): boolean {
  return obtainedAt.getTime() - now.getTime() > BACKDATE_MS
}

/** When something was obtained: the later one, should the clock have been set back between the question and its answer. */
export function obtainedBetween(askedAt: Date, answeredAt: Date): Date {
  return askedAt > answeredAt ? askedAt : answeredAt
}

/** Whether an SVID lives too short for the target that is set, and is renewed as if there were none. */
export function isShortOfTarget(lifetime: Lifetime, policy: RenewalPolicy): boolean {
  const targetMs = targetOf(policy)
  return targetMs > 0 && lifeOf(lifetime) - targetMs < MIN_GRACE_MS
}

function targetOf({ availabilityTargetSeconds }: RenewalPolicy): number {
  return (availabilityTargetSeconds ?? 0) * 1000
}

function lifeOf({ notBefore, expiresAt }: Lifetime): number {
  const datedMs = expiresAt.getTime() - notBefore.getTime()
  return datedMs > BACKDATE_MS ? datedMs - BACKDATE_MS : datedMs
}

export function renewalTime(lifetime: Lifetime, policy: RenewalPolicy, random: Random): Date {
  const { expiresAt } = lifetime
  const jitter = 1 + (2 * random() - 1) * HALF_LIFE_JITTER
  const halfMs = (lifeOf(lifetime) / 2) * jitter
  const targetMs = targetOf(policy)
  if (targetMs === 0 || isShortOfTarget(lifetime, policy)) {
    return new Date(expiresAt.getTime() - halfMs)
  }
  // Whichever comes first: a target below half of the life makes nothing later.
  const earlyMs = Math.max(halfMs, targetMs + random() * TARGET_JITTER_MS)
  return new Date(expiresAt.getTime() - earlyMs)
}

/** A server whose SVIDs are due or tainted when they come is not asked again at once. */
const MIN_INTERVAL_MS = 5_000
/** Of what is left of a life when it is obtained: even the shortest is renewed before it ends. */
const MIN_INTERVAL_SHARE = 0.25

/** How long an SVID is kept at least, whatever speaks for renewing it, in milliseconds. */
export function keepAtLeastMs(obtainedAt: Date, expiresAt: Date): number {
  const leftMs = Math.max(0, expiresAt.getTime() - obtainedAt.getTime())
  return Math.min(MIN_INTERVAL_MS, leftMs * MIN_INTERVAL_SHARE)
}
