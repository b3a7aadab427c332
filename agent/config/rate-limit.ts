/** `experimental.ratelimit`: how many calls a second each workload may make of each method. */
import { absent } from '../../config/absent.ts'
import { type Read, section, withDefault } from '../../config/check.ts'
import { whole } from '../../config/value.ts'
import type { WorkloadRates } from '../workload-api/rate-limit.ts'

const limit = (method: string) =>
  withDefault(
    whole(0, Number.MAX_SAFE_INTEGER, 'a whole number of at least 0', 'calls a second'),
    '0',
    `limit of ${method} for each workload; 0: none`,
  )

export const rateLimit = section({
  fetch_jwt_bundles: limit('FetchJWTBundles'),
  fetch_jwt_svid: limit('FetchJWTSVID'),
  fetch_secrets: absent('limit of SDS FetchSecrets', '0'),
  fetch_x509_bundles: limit('FetchX509Bundles'),
  fetch_x509_svid: limit('FetchX509SVID'),
  stream_secrets: absent('limit of SDS StreamSecrets', '0'),
})

export function workloadRates(read: Read<(typeof rateLimit)['keys']>): WorkloadRates {
  return {
    FetchJWTBundles: read.fetch_jwt_bundles,
    FetchJWTSVID: read.fetch_jwt_svid,
    FetchX509Bundles: read.fetch_x509_bundles,
    FetchX509SVID: read.fetch_x509_svid,
  }
}
