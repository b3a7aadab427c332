/**
 * `experimental.jwt_svid_cache_hit_timeout`: how long a workload waits for a younger JWT-SVID while one is cached
 * that is still valid. SPIRE takes 5 seconds up to, but not including, 30.
 */
import { type Key, optional } from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'
import { milliseconds } from '../../config/value.ts'

const LEAST_MS = 5_000
const BELOW_MS = 30_000
const EXPECTED = 'a duration of at least 5s and less than 30s'

/** In milliseconds; undefined: not given. */
export function jwtCacheWait(): Key<number | undefined> {
  const duration = milliseconds()
  const rule: typeof duration = {
    ...duration,
    expected: EXPECTED,
    read: (found, spot, context) => {
      const ms = duration.read(found, spot, context)
      if (ms === undefined || (ms >= LEAST_MS && ms < BELOW_MS)) return ms
      const place = found[0]?.place ?? spot.place
      addMistake(context.report, place, `${spot.name} is ${ms / 1000}s`, EXPECTED)
      return undefined
    },
  }
  return optional(rule, 'wait for a new JWT-SVID before a cached one is used; 2s when left out')
}
