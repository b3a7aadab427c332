/**
 * How old the keys of each token issuer are, in Prometheus' text form: keys that are no longer renewed refuse tokens of new ones, long before
 * anybody looks at `/status`. Read at each fetch, of what all workers together report; their number is bounded with the issuers.
 */
import { gaugeText } from '../../telemetry/series.ts'
import type { IssuerStatus } from '../policy-source/issuer-keys.ts'

export const ISSUER_METRICS = {
  steeple_jwks_age_seconds:
    'Seconds since the keys of a token issuer were last fetched; not there before they ever were.',
  steeple_jwks_last_fetch_failed:
    '1 when the last attempt to fetch the keys of a token issuer failed.',
} as const

export function issuerMetrics(issuers: readonly IssuerStatus[], now: Date): string {
  const ages = issuers.flatMap(({ source, fetchedAt }) => {
    if (fetchedAt === undefined) return []
    const value = Math.max(0, (now.getTime() - fetchedAt.getTime()) / 1000)
    return [{ labels: { source }, value }]
  })
  const failures = issuers.map(({ source, problem }) => ({
    labels: { source },
    value: problem === undefined ? 0 : 1,
  }))
  return gauge('steeple_jwks_age_seconds', ages) + gauge('steeple_jwks_last_fetch_failed', failures)
}

const gauge = (name: keyof typeof ISSUER_METRICS, series: Parameters<typeof gaugeText>[2]) =>
  gaugeText(name, ISSUER_METRICS[name], series)
