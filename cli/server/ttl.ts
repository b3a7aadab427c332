/** Lifetimes that the mint commands ask for. */

import { formatDuration } from '../../config/duration.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { formatRfc3339 } from '../output/go-time.ts'

const MAX_SECONDS = 2 ** 31 - 1

/** Whole seconds, rounded up, as the protocol carries them. @throws IdentityError REQUEST_INVALID */
export function toTtlSeconds(ms: number): number {
  const seconds = Math.ceil(ms / 1000)
  if (Math.abs(seconds) <= MAX_SECONDS) return seconds
  throw new IdentityError(
    'REQUEST_INVALID',
    `invalid value for TTL: ${formatDuration(ms)} is longer than ${MAX_SECONDS} seconds`,
  )
}

/** What to say when an SVID lives shorter than was asked for; empty when it does not. */
export function cappedWarning(
  kind: 'X509-SVID' | 'JWT-SVID' | 'WIT-SVID',
  { ttlMs, expiresAt, now }: { ttlMs: number; expiresAt: number; now: Date },
): string {
  const expires = fromUnixSeconds(expiresAt)
  if (ttlMs <= 0 || expires.getTime() >= now.getTime() + ttlMs) return ''
  const when = formatRfc3339(expires)
  return `${kind} lifetime was capped shorter than specified ttl; expires "${when}"\n`
}
