/**
 * The configuration of the proxy: proxy.conf and the flags of `run`, read into one frozen object before anything opens.
 * Every mistake is reported at once; no key is ignored silently.
 */
import type { Address } from '../config/address.ts'
import type { Read } from '../config/check.ts'
import { freeze } from '../config/freeze.ts'
import type { HealthSettings } from '../config/health.ts'
import { type LogConfig, logConfig } from '../config/log.ts'
import { type ConfigFile, readConfig } from '../config/read-config.ts'
import { CONFIG_HINT, readText } from '../config/read-text.ts'
import { type TelemetrySettings, telemetrySettings } from '../config/telemetry.ts'
import type { PathNormalization } from '../policy/normalize-path.ts'
import type { TrustDomain } from '../spiffe/id.ts'
import { checkWhole } from './config/check-whole.ts'
import {
  type DelegatedConfig,
  delegatedConfig,
  type OwnWorkload,
  ownWorkload,
} from './config/delegated-keys.ts'
import { endpointOf } from './config/endpoint.ts'
import { explicitListener, portOf } from './config/explicit-listener.ts'
import { providerOf } from './config/extension-provider.ts'
import { flagsOf } from './config/flag-keys.ts'
import { proxyFile } from './config/keys.ts'
import {
  type CaptureConfig,
  captureConfig,
  type DestinationConfig,
  destinationConfig,
  type HboneConfig,
  hboneAddressOf,
  hboneConfig,
} from './config/mesh-transport.ts'
import type { PeerPattern } from './config/peer-pattern.ts'
import { type PolicySourceConfig, policySourceConfig } from './config/policy-source-keys.ts'
import { type ProbesConfig, probesConfig } from './config/probe-keys.ts'
import { type TracingConfig, tracingConfig } from './config/tracing-keys.ts'
import type { ExtAuthzProvider } from './ext-authz/provider.ts'

export type PortProtocol = 'auto' | 'http' | 'http2' | 'tcp'
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

export interface InboundConfig {
  readonly name: string
  readonly listen: Address
  readonly upstream: Address
  readonly protocol: PortProtocol
  /** `strict`: no policy can admit plaintext here. */
  readonly mtls: 'policy' | 'strict'
  readonly minVersion: TlsVersion
  /** Undefined: everybody whom policy admits. */
  readonly authorize: readonly PeerPattern[] | undefined
  /** Tell the workload who calls, in `x-forwarded-client-cert`. */
  readonly forwardClientCert: boolean
  /** The port that policies mean; undefined: the one that is listened on, once it is known. */
  readonly workloadPort: number | undefined
  /** Left out: the workload of the proxy itself. */
  readonly ownWorkload?: OwnWorkload
}

export interface OutboundConfig {
  readonly name: string
  readonly listen: Address
  readonly upstream: Address
  readonly protocol: PortProtocol
  readonly minVersion: TlsVersion
  /** Never empty. */
  readonly authorize: readonly PeerPattern[]
  /** Where the destination's proxy takes tunnels; undefined: plain mutual TLS with `upstream` itself. */
  readonly hbone: Address | undefined
  /** Undefined: the mesh's own. */
  readonly alpn: readonly string[] | undefined
  readonly serverName: string | undefined
  readonly service: string | undefined
  /** As with inbound ones. */
  readonly ownWorkload?: OwnWorkload
}

export interface MeshConfig {
  readonly rootNamespace: string
  readonly trustDomainAliases: readonly TrustDomain[]
  readonly federatedTrustDomains: readonly TrustDomain[]
  readonly pathNormalization: PathNormalization
  readonly refuseAmbiguousPaths: boolean
  readonly trustedHops: number
  readonly extensionProviders: readonly ExtAuthzProvider[]
}

/** What is undefined is taken from the SVID, or from the machine. */
export interface WorkloadConfig {
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly serviceAccount: string | undefined
  readonly service: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** What it speaks at its ports, where connections may go to any of them; `auto` at others. */
  readonly protocols: ReadonlyMap<number, PortProtocol>
}

export interface ProxyConfig {
  /** Undefined: nothing is logged for each request. `stdout` is standard output. */
  readonly accessLog: string | undefined
  readonly admin: Address | undefined
  /** Undefined: nothing is captured. */
  readonly capture: CaptureConfig | undefined
  readonly connectTimeoutMs: number
  /** Undefined: the Workload API gives the identity. */
  readonly delegated: DelegatedConfig | undefined
  /** Whom captured connections may go to by the mesh. */
  readonly destinations: readonly DestinationConfig[]
  readonly detectionTimeoutMs: number
  readonly drainTimeoutMs: number
  /** Undefined: no tunnels are taken. */
  readonly hbone: HboneConfig | undefined
  readonly health: HealthSettings | undefined
  readonly inbound: readonly InboundConfig[]
  /** PEM file; undefined: the authorities that Node comes with. */
  readonly jwksCaFile: string | undefined
  readonly log: LogConfig
  readonly maxConnections: number
  readonly mesh: MeshConfig
  readonly outbound: readonly OutboundConfig[]
  readonly policyDir: string | undefined
  /** Undefined: no cluster is asked for policies. */
  readonly policySource: PolicySourceConfig | undefined
  /** Undefined: none are passed on. */
  readonly probes: ProbesConfig | undefined
  readonly tcpIdleTimeoutMs: number
  readonly telemetry: TelemetrySettings | undefined
  /** Undefined: nothing is traced. */
  readonly tracing: TracingConfig | undefined
  /** Undefined: that of the SVID. */
  readonly trustDomain: TrustDomain | undefined
  /** For the log, once there is one. */
  readonly warnings: readonly string[]
  /** 1: the process itself, without any worker. */
  readonly workers: number
  readonly workload: WorkloadConfig
  /** In the form that the Workload API's clients take. */
  readonly workloadApi: string
}

/** The flags of `run` and `validate`. Those of the explicit mode make one listener without a file. */
export interface ProxyFlags {
  readonly inbound?: boolean | undefined
  readonly outbound?: boolean | undefined
  readonly listen?: string | undefined
  readonly upstream?: string | undefined
  readonly protocol?: string | undefined
  readonly authorize?: readonly string[] | undefined
  readonly policyDir?: string | undefined
  readonly workloadApiSocket?: string | undefined
  readonly trustDomain?: string | undefined
  readonly accessLog?: string | undefined
  readonly expandEnv?: boolean | undefined
  readonly logFile?: string | undefined
  readonly logFormat?: string | undefined
  readonly logLevel?: string | undefined
}

export interface ProxyConfigInput extends ConfigFile {
  readonly flags: ProxyFlags
}

const DEFAULT_PROXY_CONFIG_PATH = 'conf/proxy/proxy.conf'

/** @throws IdentityError CONFIG_INVALID listing every mistake, one on each line */
export function readProxyConfig(input: ProxyConfigInput): ProxyConfig {
  const { read, report } = readConfig(proxyFile, input, {
    section: 'proxy',
    flags: flagsOf(input.flags),
    expandsEnv: input.flags.expandEnv === true,
  })
  const config = build(read, report.warnings)
  const explicit = explicitListener(input.flags, hasPolicies(config))
  const whole = {
    ...config,
    inbound: [...config.inbound, ...explicit.inbound],
    outbound: [...config.outbound, ...explicit.outbound],
  }
  checkWhole(input.path, whole)
  return freeze(whole)
}

/** Reads the file as well, unless the flags alone say what to do. @throws IdentityError CONFIG_INVALID */
export function loadProxyConfig(
  path: string | undefined,
  flags: ProxyFlags,
  env: ProxyConfigInput['env'],
): ProxyConfig {
  const isGiven = path !== undefined && path !== ''
  if (!isGiven && (flags.inbound === true || flags.outbound === true)) {
    return readProxyConfig({ path: 'flags', text: '', flags, env, readText })
  }
  const from = isGiven ? path : DEFAULT_PROXY_CONFIG_PATH
  return readProxyConfig({ path: from, text: readText(from, CONFIG_HINT), flags, env, readText })
}

function build(
  { proxy, telemetry, health_checks: health }: Read<(typeof proxyFile)['keys']>,
  warnings: readonly string[],
): ProxyConfig {
  const { mesh, workload } = proxy
  const policies = {
    policyDir: proxy.policy_dir,
    policySource: policySourceConfig(proxy.policy_source),
  }
  return {
    accessLog: proxy.access_log,
    admin: proxy.admin?.listen,
    capture: captureConfig(proxy.capture, hasPolicies(policies)),
    connectTimeoutMs: proxy.connect_timeout,
    delegated: delegatedConfig(proxy.identity),
    destinations: (proxy.destination ?? []).map(destinationConfig),
    detectionTimeoutMs: proxy.protocol_detection_timeout,
    drainTimeoutMs: proxy.drain_timeout,
    hbone: hboneConfig(proxy.hbone),
    health: health.settings,
    inbound: (proxy.inbound ?? []).map((one) => ({
      name: one.name,
      listen: one.listen,
      upstream: one.upstream,
      protocol: one.protocol,
      mtls: one.mtls ?? (hasPolicies(policies) ? 'policy' : 'strict'),
      minVersion: `TLSv${one.min_tls_version}` as const,
      authorize: one.authorize.length === 0 ? undefined : one.authorize,
      forwardClientCert: one.forward_client_cert,
      workloadPort: one.workload_port ?? portOf(one.upstream) ?? portOf(one.listen),
      ...ownWorkload(one),
    })),
    jwksCaFile: proxy.jwks.ca_file,
    log: logConfig(proxy),
    maxConnections: proxy.max_connections,
    mesh: {
      rootNamespace: mesh.root_namespace,
      trustDomainAliases: mesh.trust_domain_aliases,
      federatedTrustDomains: mesh.federated_trust_domains,
      pathNormalization: mesh.path_normalization,
      refuseAmbiguousPaths: mesh.refuse_ambiguous_paths,
      trustedHops: mesh.trusted_hops,
      extensionProviders: (mesh.extension_provider ?? []).map(providerOf),
    },
    outbound: (proxy.outbound ?? []).map((one) => ({
      name: one.name,
      listen: one.listen,
      upstream: one.upstream,
      protocol: one.protocol,
      minVersion: `TLSv${one.min_tls_version}` as const,
      authorize: one.authorize,
      hbone: hboneAddressOf(one),
      alpn: one.alpn.length === 0 ? undefined : one.alpn,
      serverName: one.server_name,
      service: one.service,
      ...ownWorkload(one),
    })),
    ...policies,
    probes: probesConfig(proxy.probes),
    tcpIdleTimeoutMs: proxy.tcp_idle_timeout,
    telemetry: telemetrySettings(telemetry),
    tracing: tracingConfig(proxy.tracing),
    trustDomain: proxy.trust_domain,
    warnings,
    workers: proxy.workers,
    workload: {
      namespace: workload.namespace,
      name: workload.name,
      serviceAccount: workload.service_account,
      service: workload.service,
      labels: workload.labels ?? {},
      protocols: new Map([
        ...workload.http_ports.map((port) => [port, 'http'] as const),
        ...workload.tcp_ports.map((port) => [port, 'tcp'] as const),
      ]),
    },
    workloadApi: endpointOf(proxy.workload_api_socket),
  }
}

/** Without any, mutual TLS alone is taken. */
function hasPolicies(config: Pick<ProxyConfig, 'policyDir' | 'policySource'>): boolean {
  return config.policyDir !== undefined || config.policySource !== undefined
}
