/** What the Istio CA counts, under the names that istiod's has, so that its dashboards and alerts go on. @see Mesh issuance §2.5 */
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import type { Metrics } from '../../../telemetry/metrics.ts'
import type { Authorities } from '../../ca/authorities.ts'
import { chainAbove, type X509Ca } from '../../ca/x509-ca.ts'
import type { Check, WhyRefused } from '../refusal.ts'

/** Which counter a refusal counts in, besides the number of requests. */
const COUNTER_OF = {
  rate: undefined,
  cluster: 'authentication_failure_count',
  token: 'authentication_failure_count',
  account: 'id_extraction_err_count',
  request: 'csr_parsing_err_count',
  csr: 'csr_parsing_err_count',
  'node-account': 'authentication_failure_count',
  node: 'authentication_failure_count',
  identity: 'authentication_failure_count',
  entry: 'csr_sign_err_count',
  issuer: 'csr_sign_err_count',
} satisfies Record<Check, string | undefined>

export interface CitadelMetricsDeps {
  readonly metrics: Metrics
  readonly bundle: { current(): Pick<Bundle, 'x509Authorities'> }
  readonly x509: Pick<Authorities<X509Ca>, 'signer'>
  now(): Date
}

/** @returns what is to be told of each call when it has ended */
export function meterIstioCa({
  metrics: prefixed,
  bundle,
  x509,
  now,
}: CitadelMetricsDeps): (why: WhyRefused | undefined) => void {
  const metrics = prefixed.unprefixed()
  const rootEndSeconds = () =>
    Math.min(...bundle.current().x509Authorities.map(({ der }) => endSeconds(der)))
  const chainEndSeconds = () => {
    const authority = x509.signer()?.authority
    if (authority === undefined) return 0
    return Math.min(
      authority.expiresAt.getTime() / 1000,
      ...chainAbove(authority).map((der) => endSeconds(der)),
    )
  }
  for (const [name, end] of [
    ['root_cert', rootEndSeconds],
    ['cert_chain', chainEndSeconds],
  ] as const) {
    metrics.gauge(`citadel_server_${name}_expiry_timestamp`, end)
    const left = () => end() - now().getTime() / 1000
    metrics.gauge(`citadel_server_${name}_expiry_seconds`, left)
  }
  return (why) => {
    metrics.count('citadel_server_csr_count')
    if (why === undefined) return metrics.count('citadel_server_success_cert_issuance_count')
    const counter = COUNTER_OF[why.check]
    if (counter !== undefined) metrics.count(`citadel_server_${counter}`)
  }
}

function endSeconds(der: Uint8Array): number {
  return parseCertificate(der).notAfter.getTime() / 1000
}
