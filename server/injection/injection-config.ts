/** What injection puts beside every workload: decided once, for the whole cluster. */
import type { TrustDomain } from '../../spiffe/id.ts'

export interface InjectionConfig {
  /** Of Steeple itself; its entry point is the `steeple` command. */
  readonly image: string
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  /** Where pods find the agent's Workload API. */
  readonly identity: IdentityVolume
  /** Name of the socket in that volume. */
  readonly socketName: string
  readonly trustDomain: TrustDomain
  readonly rootNamespace: string
  /** Addresses and blocks of addresses that are of the mesh: connections to them are mutual TLS. */
  readonly meshAddresses: readonly string[]
  /** Those within them that are not. */
  readonly plaintextAddresses: readonly string[]
  /** Ports of every workload that are reached without the proxy. */
  readonly excludedInboundPorts: readonly number[]
  /** Nothing else in a pod may run as this user, for its connections pass by the proxy. */
  readonly proxyUid: number
  readonly ipFamily: 'ipv4' | 'ipv6'
  readonly hasAccessLog: boolean
  readonly logLevel: string
  /** Undefined: proxies tell nobody of their requests. */
  readonly tracing: InjectedTracing | undefined
  readonly requests: Resources
  readonly limits: Resources
}

/** Of every proxy; pods cannot choose another collector. */
export interface InjectedTracing {
  readonly otlpEndpoint: string
  /** Of the traces that begin at a proxy, from 0 to 100. */
  readonly samplingPercent: number
}

export type IdentityVolume =
  | { readonly kind: 'host_path'; readonly directory: string }
  | { readonly kind: 'csi'; readonly driver: string }

/** As Kubernetes writes quantities; undefined: none. */
export interface Resources {
  readonly cpu: string | undefined
  readonly memory: string | undefined
}

/** Ports of the proxy in a pod that injection has been to; no container may have one of them. */
export const PORTS = {
  outbound: 15_001,
  inbound: 15_006,
  hbone: 15_008,
  health: 15_020,
  probes: 15_021,
} as const

/** Of namespaces and pods. `enabled` and `disabled` are its values; that of a pod wins. */
export const INJECT_LABEL = 'steeple.io/inject'
/** Annotations of pods that their authors write. */
export const EXCLUDED_PORTS = 'steeple.io/exclude-inbound-ports'
export const PLAINTEXT_ADDRESSES = 'steeple.io/plaintext-addresses'
/** The annotation that holds the proxy's configuration, written by injection alone. */
export const PROXY_CONFIG = 'steeple.io/proxy-config'

export const RULES_CONTAINER = 'steeple-rules'
export const PROXY_CONTAINER = 'steeple-proxy'
