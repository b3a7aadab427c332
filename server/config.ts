/**
 * The configuration of the server: SPIRE's server.conf and the flags of `run`, read into one frozen
 * object before anything opens. Every mistake is reported at once; no key is ignored silently.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/spire_server.md
 */
import { placeOf, type Read } from '../config/check.ts'
import type { Flag } from '../config/flags.ts'
import { freeze } from '../config/freeze.ts'
import type { HealthSettings } from '../config/health.ts'
import { type LogConfig, logConfig } from '../config/log.ts'
import { addWarning, type Report } from '../config/mistake.ts'
import { type ConfigFile, readConfig } from '../config/read-config.ts'
import { CONFIG_HINT, readText } from '../config/read-text.ts'
import { type TelemetrySettings, telemetrySettings } from '../config/telemetry.ts'
import type { SpiffeId, TrustDomain } from '../spiffe/id.ts'
import type { Cidr } from './config/cidr.ts'
import { controllerConfig } from './config/controller.ts'
import { type FederationConfig, federationConfig } from './config/federation.ts'
import { injectionConfig } from './config/injection.ts'
import { type K8sPsatConfig, k8sPsatConfig } from './config/k8s-psat.ts'
import { k8sBundleConfigs } from './config/k8s-publishers.ts'
import { serverFile } from './config/keys.ts'
import { meshConfig } from './config/mesh.ts'
import { podCertificatesConfig } from './config/pod-certificates.ts'
import { policyStatusConfig } from './config/policy-status.ts'
import { publisherConfigs } from './config/publishers.ts'
import type { DataStoreConfig } from './config/sql.ts'
import { ttlWarning } from './config/ttl-warnings.ts'
import { upstreamConfig } from './config/upstream.ts'
import { type X509PopConfig, x509PopConfig } from './config/x509pop.ts'
import type { ControllerConfig } from './controller/controller-config.ts'
import type { InjectionConfig } from './injection/injection-config.ts'
import type { MeshConfig } from './mesh/open-mesh.ts'
import type { PodCertificatesConfig } from './pod-certificates/open-pod-certificates.ts'
import type { PolicyStatusConfig } from './policy-status/open-policy-status.ts'
import type { PublisherConfig } from './publish/publisher.ts'
import type { UpstreamConfig } from './upstream/open-upstream.ts'

const DEFAULT_SERVER_CONFIG_PATH = 'conf/server/server.conf'

export type CaKeyType = 'ec-p256' | 'ec-p384' | 'rsa-2048' | 'rsa-4096'

export interface CaSubject {
  readonly country: readonly string[]
  readonly organization: readonly string[]
  readonly commonName: string | undefined
}

export type ServerKeyManager =
  | { readonly kind: 'memory' }
  | { readonly kind: 'disk'; readonly keysPath: string }

export type NodeAttestorConfig = { readonly kind: 'join_token' } | K8sPsatConfig | X509PopConfig

/** When nodes that have been expired for long are forgotten. */
export interface PruneNodesConfig {
  readonly expiredForSeconds: number
  readonly includeNonReattestable: boolean
  /** In one round. */
  readonly most: number
}

export interface ServerConfig {
  readonly adminIds: readonly SpiffeId[]
  /** Undefined: as `defaultX509SvidTtlSeconds`. */
  readonly agentTtlSeconds: number | undefined
  readonly bindAddress: string
  readonly bindPort: number
  readonly caKeyType: CaKeyType
  readonly caSubject: CaSubject
  readonly caTtlSeconds: number
  /** Undefined: no workloads are registered from Kubernetes. */
  readonly controller: ControllerConfig | undefined
  readonly dataDir: string
  readonly dataStore: DataStoreConfig
  readonly defaultJwtSvidTtlSeconds: number
  readonly defaultX509SvidTtlSeconds: number
  readonly disableJwtSvids: boolean
  readonly hasAgentIdSelector: boolean
  readonly hasAuditLog: boolean
  readonly federation: FederationConfig
  /** Undefined: nothing listens. */
  readonly health: HealthSettings | undefined
  readonly jwtIssuer: string | undefined
  readonly jwtKeyType: CaKeyType
  readonly keyManager: ServerKeyManager
  readonly log: LogConfig
  readonly mesh: MeshConfig
  readonly nodeAttestors: readonly NodeAttestorConfig[]
  /** The types of those whose data is in a file of their own, which can be read again. */
  readonly attestorsInFiles: readonly string[]
  /** The clusters whose PodCertificateRequests are signed. */
  readonly podCertificates: readonly PodCertificatesConfig[]
  /** Undefined: no proxy is put into any pod. */
  readonly injection: InjectionConfig | undefined
  /** Undefined: no status is written. */
  readonly policyStatus: PolicyStatusConfig | undefined
  /** Undefined: never. */
  readonly pruneNodes: PruneNodesConfig | undefined
  /** Where the bundle is put for those who have no agent to ask. */
  readonly publishers: readonly PublisherConfig[]
  readonly rateLimit: { readonly attestation: boolean; readonly signing: boolean }
  readonly requirePqKem: boolean
  readonly socketPath: string
  /** Undefined: nothing is measured. */
  readonly telemetry: TelemetrySettings | undefined
  readonly trustDomain: TrustDomain
  /** Undefined: authorities sign themselves. */
  readonly upstream: UpstreamConfig | undefined
  /** Load balancers whose PROXY headers are believed. */
  readonly trustedProxies: readonly Cidr[]
  /** For the log, once there is one. */
  readonly warnings: readonly string[]
}

/** The flags of `run` and `validate`; each overrides its key in the file. */
export interface ServerFlags {
  readonly bindAddress?: string | undefined
  readonly dataDir?: string | undefined
  readonly expandEnv?: boolean | undefined
  readonly logFile?: string | undefined
  readonly logFormat?: string | undefined
  readonly logLevel?: string | undefined
  readonly logSourceLocation?: boolean | undefined
  readonly serverPort?: number | undefined
  readonly socketPath?: string | undefined
  readonly trustDomain?: string | undefined
}

export interface ServerConfigInput extends ConfigFile {
  readonly flags: ServerFlags
}

/** @throws IdentityError CONFIG_INVALID listing every mistake, one on each line */
export function readServerConfig(input: ServerConfigInput): ServerConfig {
  const { read, report } = readConfig(serverFile, input, {
    section: 'server',
    flags: flagsOf(input.flags),
    expandsEnv: input.flags.expandEnv === true,
  })
  return freeze(build(read, report, input.env))
}

/** Reads the file as well. @throws IdentityError CONFIG_INVALID */
export function loadServerConfig(
  path: string | undefined,
  flags: ServerFlags,
  env: ServerConfigInput['env'],
): ServerConfig {
  const from = path === undefined || path === '' ? DEFAULT_SERVER_CONFIG_PATH : path
  return readServerConfig({ path: from, text: readText(from, CONFIG_HINT), flags, env, readText })
}

function flagsOf(flags: ServerFlags): readonly Flag[] {
  return [
    { flag: '-bindAddress', key: 'bind_address', value: flags.bindAddress },
    { flag: '-dataDir', key: 'data_dir', value: flags.dataDir },
    { flag: '-logFile', key: 'log_file', value: flags.logFile },
    { flag: '-logFormat', key: 'log_format', value: flags.logFormat },
    { flag: '-logLevel', key: 'log_level', value: flags.logLevel },
    { flag: '-logSourceLocation', key: 'log_source_location', value: flags.logSourceLocation },
    { flag: '-serverPort', key: 'bind_port', value: flags.serverPort },
    { flag: '-socketPath', key: 'socket_path', value: flags.socketPath },
    { flag: '-trustDomain', key: 'trust_domain', value: flags.trustDomain },
  ]
}

function build(
  file: Read<(typeof serverFile)['keys']>,
  report: Report,
  env: ServerConfigInput['env'],
): ServerConfig {
  const { server, plugins } = file
  const [dataStore] = plugins.DataStore
  const [keyManager] = plugins.KeyManager
  if (dataStore === undefined || keyManager === undefined) {
    throw new Error('a configuration without mistakes lacks a plugin')
  }
  warnOfTtls(server, report)
  warnOfIdlePruning(server, report)
  const controller = controllerConfig(file.controller_manager)
  const isAsked = controller?.webhook?.mutatingName !== undefined
  return {
    adminIds: server.admin_ids,
    agentTtlSeconds: server.agent_ttl,
    bindAddress: server.bind_address,
    bindPort: server.bind_port,
    caKeyType: server.ca_key_type,
    caSubject: caSubject(server),
    caTtlSeconds: server.ca_ttl,
    controller,
    dataDir: server.data_dir,
    dataStore: dataStore.data.store,
    defaultJwtSvidTtlSeconds: server.default_jwt_svid_ttl,
    defaultX509SvidTtlSeconds: server.default_x509_svid_ttl,
    disableJwtSvids: server.disable_jwt_svids,
    hasAgentIdSelector: server.experimental.agent_spiffe_id_as_selector,
    hasAuditLog: server.audit_log_enabled,
    federation: federationConfig(server.federation),
    health: file.health_checks.settings,
    injection: injectionConfig(file.sidecar_injection, server.trust_domain, isAsked),
    jwtIssuer: server.jwt_issuer,
    jwtKeyType: server.jwt_key_type ?? server.ca_key_type,
    keyManager:
      keyManager.name === 'disk'
        ? { kind: 'disk', keysPath: keyManager.data.keys_path }
        : { kind: 'memory' },
    log: logConfig(server),
    attestorsInFiles: plugins.NodeAttestor.filter(({ isInFile }) => isInFile).map(
      ({ name }) => name,
    ),
    nodeAttestors: plugins.NodeAttestor.map(nodeAttestorConfig),
    mesh: meshConfig(file.mesh, server.ca_ttl, report),
    podCertificates: podCertificatesConfig(file.pod_certificates, server.trust_domain),
    policyStatus: policyStatusConfig(file.policy_status),
    pruneNodes: pruneNodes(server),
    rateLimit: {
      attestation: server.ratelimit.attestation,
      signing: server.ratelimit.signing,
    },
    publishers: [
      ...plugins.BundlePublisher.flatMap((one) => publisherConfigs(one, env, server.trust_domain)),
      ...plugins.Notifier.flatMap(({ data }) => k8sBundleConfigs(data)),
    ],
    requirePqKem: server.experimental.require_pq_kem,
    socketPath: server.socket_path,
    telemetry: telemetrySettings(file.telemetry),
    trustDomain: server.trust_domain,
    upstream: upstreamConfig(plugins.UpstreamAuthority[0]),
    trustedProxies: server.proxy_protocol_trusted_cidrs,
    warnings: report.warnings,
  }
}

type NodeAttestorPlugin = Read<(typeof serverFile)['keys']>['plugins']['NodeAttestor'][number]

function nodeAttestorConfig(plugin: NodeAttestorPlugin): NodeAttestorConfig {
  switch (plugin.name) {
    case 'join_token':
      return { kind: 'join_token' }
    case 'k8s_psat':
      return k8sPsatConfig(plugin.data)
    case 'x509pop':
      return x509PopConfig(plugin.data)
    default:
      return plugin satisfies never
  }
}

type ServerRead = Read<(typeof serverFile)['keys']>['server']

/** RFC 5280 §4.1.2.4 wants an issuer that is not empty. */
function caSubject(server: ServerRead): CaSubject {
  const { country, organization, common_name: commonName } = server.ca_subject
  if (country.length > 0 || organization.length > 0 || commonName !== undefined) {
    return { country, organization, commonName }
  }
  return { country: ['US'], organization: ['SPIFFE'], commonName: undefined }
}

function pruneNodes(server: ServerRead): PruneNodesConfig | undefined {
  const { prune_attested_nodes_expired_for: expiredForSeconds } = server
  if (expiredForSeconds === undefined) return undefined
  return {
    expiredForSeconds,
    includeNonReattestable: server.prune_tofu_nodes,
    most: server.prune_attested_nodes_batch_size,
  }
}

function warnOfIdlePruning(server: ServerRead, report: Report): void {
  if (!server.prune_tofu_nodes || server.prune_attested_nodes_expired_for !== undefined) return
  const why = 'prune_tofu_nodes has no effect without prune_attested_nodes_expired_for'
  addWarning(report, placeOf(server, 'prune_tofu_nodes'), why)
}

function warnOfTtls(server: ServerRead, report: Report): void {
  const ttls = {
    default_x509_svid_ttl: server.default_x509_svid_ttl,
    default_jwt_svid_ttl: server.default_jwt_svid_ttl,
    agent_ttl: server.agent_ttl,
  }
  for (const [name, ttlSeconds] of Object.entries(ttls)) {
    const warning =
      ttlSeconds === undefined ? undefined : ttlWarning(name, ttlSeconds, server.ca_ttl)
    if (warning !== undefined) addWarning(report, placeOf(server, name), warning)
  }
}
