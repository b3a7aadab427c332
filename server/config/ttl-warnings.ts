/**
 * Warns of lives that cannot be kept in full: an SVID never outlives the authority that signed it,
 * and an authority signs until a sixth of its life, at most seven days, is left.
 */
import { formatDuration } from '../../config/duration.ts'

/** An authority stops signing when this part of its life is left. */
const SIGNING_REST = 6
const MAX_SIGNING_REST_SECONDS = 7 * 24 * 3600

/** @returns a warning when a life of `ttlSeconds` may be cut short, and what to change */
export function ttlWarning(
  name: string,
  ttlSeconds: number,
  caTtlSeconds: number,
): string | undefined {
  const limit = Math.min(caTtlSeconds / SIGNING_REST, MAX_SIGNING_REST_SECONDS)
  if (ttlSeconds <= limit) return undefined
  const show = (seconds: number) => formatDuration(Math.floor(seconds) * 1000)
  const raise =
    ttlSeconds > MAX_SIGNING_REST_SECONDS
      ? ''
      : `, or ca_ttl to ${show(ttlSeconds * SIGNING_REST)} or more`
  return `${name} of ${show(ttlSeconds)} may be cut short when the CA rotates: set it to ${show(limit)} or less${raise}`
}
