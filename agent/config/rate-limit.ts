/** `experimental.ratelimit`: how many calls a second each workload may make of each method. */
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
  fetch_secrets: limit('FetchSecrets'),
  fetch_x509_bundles: limit('FetchX509Bundles'),
  fetch_x509_svid: limit('FetchX509SVID'),
  stream_secrets: limit('StreamSecrets, and of DeltaSecrets,'),
})

export function workloadRates(read: Read<(typeof rateLimit)['keys']>): WorkloadRates {
  return {
    DeltaSecrets: read.stream_secrets,
    FetchJWTBundles: read.fetch_jwt_bundles,
    FetchJWTSVID: read.fetch_jwt_svid,
    FetchSecrets: read.fetch_secrets,
    FetchX509Bundles: read.fetch_x509_bundles,
    FetchX509SVID: read.fetch_x509_svid,
    StreamSecrets: read.stream_secrets,
  }
}
