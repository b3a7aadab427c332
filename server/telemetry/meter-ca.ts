/** What happens to the server's authorities, and what is signed with them, under SPIRE's names. */
import type { Metrics } from '../../telemetry/metrics.ts'
import { plain } from '../../telemetry/serve-metrics.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { Authority } from '../ca/slots.ts'
import type { Issuer } from '../issue/issuer.ts'

/** SPIRE's own two names for activations; the second lacks a part that the others have. */
const NAMES = {
  x509: { prepare: 'ca_manager_x509_ca_prepare', activate: 'ca_manager_x509_ca_activate' },
  jwt: { prepare: 'ca_manager_jwt_key_prepare', activate: 'manager_jwt_key_activate' },
} as const

export function meterAuthorities<A extends Authority>(
  authorities: Authorities<A>,
  kind: keyof typeof NAMES,
  metrics: Metrics,
): Authorities<A> {
  const { prepare, activate } = NAMES[kind]
  return {
    ...authorities,
    prepare: () => metrics.measure(prepare, () => authorities.prepare()),
    async activate(id) {
      const activated = await authorities.activate(id)
      metrics.count(activate)
      return activated
    },
  }
}

export function meterIssuer(issuer: Issuer, metrics: Metrics): Issuer {
  const counted = async <T>(name: string, signing: Promise<T>): Promise<T> => {
    const signed = await signing
    metrics.count(`server_ca_sign_${name}`)
    return signed
  }
  return {
    issueWorkloadX509Svid: (request) => counted('x509_svid', issuer.issueWorkloadX509Svid(request)),
    issueAgentX509Svid: (request) => counted('x509_svid', issuer.issueAgentX509Svid(request)),
    issueServerX509Svid: (request) => counted('x509_svid', issuer.issueServerX509Svid(request)),
    issueDownstreamCa: (request) => counted('x509_ca_svid', issuer.issueDownstreamCa(request)),
    issueJwtSvid: (request) => counted('jwt_svid', issuer.issueJwtSvid(request)),
  }
}

/** When the authority that signs now ends; without one there is none, which is 0. */
export function gaugeX509Ca(
  { signer }: Pick<Authorities<Authority>, 'signer'>,
  {
    trustDomain,
    metrics,
    now,
  }: {
    readonly trustDomain: string
    readonly metrics: Metrics
    now(): Date
  },
): void {
  const labels = { trust_domain_id: plain(trustDomain) }
  const endMs = () => signer()?.authority.expiresAt.getTime()
  metrics.gauge('manager_x509_ca_rotate_expiration', () => (endMs() ?? 0) / 1000, labels)
  const leftSeconds = () => Math.max(0, ((endMs() ?? 0) - now().getTime()) / 1000)
  metrics.gauge('manager_x509_ca_rotate_ttl', leftSeconds, labels)
}
