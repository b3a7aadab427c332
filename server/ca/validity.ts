/** From when to when a new authority or SVID is valid, in whole seconds as certificates and tokens have them. */
import { fromUnixSeconds, unixSeconds } from '../../spiffe/clock.ts'

export interface Validity {
  readonly issuedAt: Date
  /** A little before `issuedAt`, for verifiers whose clocks are behind. */
  readonly notBefore: Date
  readonly expiresAt: Date
}

/** SPIRE behaviour §6 — NotBefore is 10 s in the past. */
export const SKEW_SECONDS = 10

/** @param latest the end of the authority that signs */
export function validityFrom(now: Date, ttlSeconds: number, latest?: Date): Validity {
  const issued = unixSeconds(now)
  const expires = issued + ttlSeconds
  return {
    issuedAt: fromUnixSeconds(issued),
    notBefore: notBeforeOf(fromUnixSeconds(issued)),
    expiresAt: fromUnixSeconds(
      latest === undefined ? expires : Math.min(expires, unixSeconds(latest)),
    ),
  }
}

export function notBeforeOf(issuedAt: Date): Date {
  return fromUnixSeconds(unixSeconds(issuedAt) - SKEW_SECONDS)
}
