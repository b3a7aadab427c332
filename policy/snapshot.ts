/**
 * Everything that decides, at one moment: what a source of policy (a directory, the Kubernetes API, xDS) fills and the
 * engine takes over as a whole. A snapshot never changes; a newer one replaces it.
 */
import type { TrustDomain } from '../spiffe/id.ts'
import type { AuthorizationPolicy } from './authorization-policy.ts'
import type { PathNormalization } from './normalize-path.ts'
import type { PeerAuthentication } from './peer-authentication.ts'
import type { RequestAuthentication } from './request-authentication.ts'

export interface MeshSettings {
  /** Policies of this namespace govern all namespaces; `istio-system` by default. */
  readonly rootNamespace: string
  readonly trustDomain: TrustDomain
  /** Other names of our own trust domain in policies. */
  readonly trustDomainAliases: readonly TrustDomain[]
  readonly pathNormalization: PathNormalization
  /** Refuse (400) a path that another round of decoding or dot-segment removal would still change. */
  readonly refuseAmbiguousPaths: boolean
  readonly extensionProviders: readonly ExtensionProvider[]
  /** Hops in front of us whose X-Forwarded-For entries are believed. */
  readonly trustedHops: number
}

/** Who answers for policies with the action CUSTOM. `http` providers are not asked about plain connections. */
export interface ExtensionProvider {
  readonly name: string
  readonly kind: 'grpc' | 'http'
}

export interface PolicySnapshot {
  readonly mesh: MeshSettings
  readonly authorizationPolicies: readonly AuthorizationPolicy[]
  readonly peerAuthentications: readonly PeerAuthentication[]
  readonly requestAuthentications: readonly RequestAuthentication[]
}

/** The workload in front of which the proxy stands. */
export interface Workload {
  readonly namespace: string
  readonly name: string
  readonly serviceAccount: string
  readonly labels: Readonly<Record<string, string>>
}
