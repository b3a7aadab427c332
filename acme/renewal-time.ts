/** When a certificate is renewed, and when a failed attempt is repeated. Pure; all times are milliseconds. */
import { IdentityError } from '../spiffe/error.ts'

interface Lifetime {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Leaves a month of ninety days to a CA or a network that is away. */
const RENEW_AT = 2 / 3
const FIRST_RETRY_MS = 60_000
/** CAs count failures by the hour, and lock out after a handful: 1, 4, 16, 60 minutes. */
const RETRY_FACTOR = 4
const MAX_RETRY_MS = 3_600_000
/** A CA whose certificates are due as they come is asked no more often. */
const LEAST_MS = 60_000
const JITTER = 0.1

/** How long to leave a certificate alone. @param age of the newest certificate's life; 0 or less: now */
export function untilRenewalMs({ notBefore, notAfter }: Lifetime, now: Date): number {
  const lifetime = notAfter.getTime() - notBefore.getTime()
  return notBefore.getTime() + lifetime * RENEW_AT - now.getTime()
}

/** After a success. */
export function leastPauseMs(): number {
  return LEAST_MS
}

/** @param failures in a row @param random spreads those that failed together over the tenth after it */
export function retryMs(failures: number, error: unknown, random: number): number {
  const isLimited = error instanceof IdentityError && error.code === 'RATE_LIMITED'
  const steps = Math.min(Math.max(failures - 1, 0), 10)
  const base = isLimited ? MAX_RETRY_MS : FIRST_RETRY_MS * RETRY_FACTOR ** steps
  return Math.min(base, MAX_RETRY_MS) * (1 + JITTER * random)
}
