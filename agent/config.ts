/**
 * The configuration of the agent: SPIRE's agent.conf and the flags of `run`, read into one frozen
 * object before anything opens. Every mistake is reported at once; no key is ignored silently.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/spire_agent.md
 */
import type { Read } from '../config/check.ts'
import type { Flag } from '../config/flags.ts'
import { freeze } from '../config/freeze.ts'
import type { HealthSettings } from '../config/health.ts'
import { type LogConfig, logConfig } from '../config/log.ts'
import { type ConfigFile, readConfig } from '../config/read-config.ts'
import { CONFIG_HINT, readText } from '../config/read-text.ts'
import { type TelemetrySettings, telemetrySettings } from '../config/telemetry.ts'
import type { SpiffeId, TrustDomain } from '../spiffe/id.ts'
import type { BrokerSettings } from './broker/settings.ts'
import type { Bootstrap } from './config/bootstrap.ts'
import { brokerSettings } from './config/broker.ts'
import { type DockerAttestorConfig, dockerAttestorConfig } from './config/docker.ts'
import { type K8sAttestorConfig, k8sAttestorConfig } from './config/k8s.ts'
import { type K8sPsatConfig, k8sPsatConfig } from './config/k8s-psat.ts'
import { agentFile } from './config/keys.ts'
import { workloadRates } from './config/rate-limit.ts'
import { sdsSettings } from './config/sds.ts'
import { serversOf } from './config/server-address.ts'
import { type X509PopConfig, x509PopConfig } from './config/x509pop.ts'
import { systemBusPath } from './dbus/bus-address.ts'
import type { RebootstrapPolicy } from './node/rebootstrap.ts'
import type { HostPort } from './node/server-directory.ts'
import type { SdsSettings } from './sds/settings.ts'
import type { WorkloadRates } from './workload-api/rate-limit.ts'

const DEFAULT_AGENT_CONFIG_PATH = 'conf/agent/agent.conf'

export type WorkloadKeyType = 'ec-p256' | 'ec-p384' | 'rsa-2048'

export type AgentKeyManager =
  | { readonly kind: 'memory' }
  | { readonly kind: 'disk'; readonly directory: string }

/** The `unix` attestor. */
export interface UnixAttestorConfig {
  readonly kind: 'unix'
  readonly discoverWorkloadPath: boolean
  /** 0: no limit; below 0: programs are never hashed. */
  readonly workloadSizeLimitBytes: number
}

/** The `systemd` attestor. */
export interface SystemdAttestorConfig {
  readonly kind: 'systemd'
  /** Unix socket of the system's message bus. */
  readonly busPath: string
}

export type WorkloadAttestorConfig =
  | DockerAttestorConfig
  | K8sAttestorConfig
  | SystemdAttestorConfig
  | UnixAttestorConfig

export type NodeAttestorConfig = { readonly kind: 'join_token' } | K8sPsatConfig | X509PopConfig

export interface AgentConfig {
  /** Undefined: nothing listens. */
  readonly adminSocketPath: string | undefined
  readonly allowUnauthenticatedVerifiers: boolean
  readonly allowedForeignJwtClaims: readonly string[]
  /** Who may use the Delegated Identity API. */
  readonly authorizedDelegates: readonly SpiffeId[]
  /** At least 24 hours when it is given. */
  readonly availabilityTargetSeconds: number | undefined
  readonly bootstrap: Bootstrap
  /** Undefined: there is no Broker API. */
  readonly broker: BrokerSettings | undefined
  readonly dataDir: string
  readonly disableWorkloadApi: boolean
  /** Undefined: nothing listens. */
  readonly health: HealthSettings | undefined
  /** A secret: never log it. */
  readonly joinToken: string | undefined
  /** How long a younger JWT-SVID is waited for while one is cached; undefined: as the cache has it. */
  readonly jwtSvidCacheHitTimeoutMs: number | undefined
  readonly jwtSvidCacheMaxSize: number
  readonly keyManager: AgentKeyManager
  readonly log: LogConfig
  /** Selectors that the log may show, each whole or its beginning up to a colon. */
  readonly logSelectors: readonly string[]
  readonly nodeAttestor: NodeAttestorConfig
  readonly rebootstrap: RebootstrapPolicy
  readonly requirePqKem: boolean
  /** Undefined: Envoys are served nothing. */
  readonly sds: SdsSettings | undefined
  readonly serverAddress: string
  readonly serverPort: number
  /** Further servers of the same trust domain. */
  readonly otherServers: readonly HostPort[]
  readonly socketPath: string
  readonly syncIntervalMs: number
  /** Undefined: nothing is measured. */
  readonly telemetry: TelemetrySettings | undefined
  readonly trustDomain: TrustDomain
  /** False: all entries are asked for, each time. */
  readonly usesSyncEntries: boolean
  /** For the log, once there is one. */
  readonly warnings: readonly string[]
  readonly workloadAttestors: readonly WorkloadAttestorConfig[]
  readonly workloadKeyType: WorkloadKeyType
  readonly workloadRates: WorkloadRates
  readonly x509SvidCacheMaxSize: number
}

/** The flags of `run` and `validate`; each overrides its key in the file. */
export interface AgentFlags {
  readonly allowUnauthenticatedVerifiers?: boolean | undefined
  readonly dataDir?: string | undefined
  readonly disableSdsApi?: boolean | undefined
  readonly disableWorkloadApi?: boolean | undefined
  readonly expandEnv?: boolean | undefined
  readonly insecureBootstrap?: boolean | undefined
  readonly joinToken?: string | undefined
  readonly joinTokenFile?: string | undefined
  readonly logFile?: string | undefined
  readonly logFormat?: string | undefined
  readonly logLevel?: string | undefined
  readonly logSourceLocation?: boolean | undefined
  readonly rebootstrapDelay?: string | undefined
  readonly rebootstrapMode?: string | undefined
  readonly serverAddress?: string | undefined
  readonly serverPort?: number | undefined
  readonly socketPath?: string | undefined
  readonly trustBundle?: string | undefined
  readonly trustBundleFormat?: string | undefined
  readonly trustBundleUrl?: string | undefined
  readonly trustDomain?: string | undefined
}

export interface AgentConfigInput extends ConfigFile {
  readonly flags: AgentFlags
}

/** @throws IdentityError CONFIG_INVALID listing every mistake, one on each line */
export function readAgentConfig(input: AgentConfigInput): AgentConfig {
  const { read, report } = readConfig(agentFile, input, {
    section: 'agent',
    flags: flagsOf(input.flags),
    expandsEnv: input.flags.expandEnv === true,
  })
  return freeze(build(read, report.warnings, input.env))
}

/** Reads the file as well. @throws IdentityError CONFIG_INVALID */
export function loadAgentConfig(
  path: string | undefined,
  flags: AgentFlags,
  env: AgentConfigInput['env'],
): AgentConfig {
  const from = path === undefined || path === '' ? DEFAULT_AGENT_CONFIG_PATH : path
  return readAgentConfig({ path: from, text: readText(from, CONFIG_HINT), flags, env, readText })
}

function flagsOf(flags: AgentFlags): readonly Flag[] {
  return [
    {
      flag: '-allowUnauthenticatedVerifiers',
      key: 'allow_unauthenticated_verifiers',
      value: flags.allowUnauthenticatedVerifiers,
    },
    { flag: '-dataDir', key: 'data_dir', value: flags.dataDir },
    { flag: '-disableSDSAPI', key: 'disable_sds_api', value: flags.disableSdsApi },
    { flag: '-disableWorkloadAPI', key: 'disable_workload_api', value: flags.disableWorkloadApi },
    { flag: '-insecureBootstrap', key: 'insecure_bootstrap', value: flags.insecureBootstrap },
    { flag: '-joinToken', key: 'join_token', value: flags.joinToken },
    { flag: '-joinTokenFile', key: 'join_token_file', value: flags.joinTokenFile },
    { flag: '-logFile', key: 'log_file', value: flags.logFile },
    { flag: '-logFormat', key: 'log_format', value: flags.logFormat },
    { flag: '-logLevel', key: 'log_level', value: flags.logLevel },
    { flag: '-logSourceLocation', key: 'log_source_location', value: flags.logSourceLocation },
    { flag: '-rebootstrapDelay', key: 'rebootstrap_delay', value: flags.rebootstrapDelay },
    { flag: '-rebootstrapMode', key: 'rebootstrap_mode', value: flags.rebootstrapMode },
    { flag: '-serverAddress', key: 'server_address', value: flags.serverAddress },
    { flag: '-serverPort', key: 'server_port', value: flags.serverPort },
    { flag: '-socketPath', key: 'socket_path', value: flags.socketPath },
    { flag: '-trustBundle', key: 'trust_bundle_path', value: flags.trustBundle },
    { flag: '-trustBundleFormat', key: 'trust_bundle_format', value: flags.trustBundleFormat },
    { flag: '-trustBundleUrl', key: 'trust_bundle_url', value: flags.trustBundleUrl },
    { flag: '-trustDomain', key: 'trust_domain', value: flags.trustDomain },
  ]
}

function build(
  { agent, plugins, telemetry, health_checks: health }: Read<(typeof agentFile)['keys']>,
  warnings: readonly string[],
  env: AgentConfigInput['env'],
): AgentConfig {
  const [keyManager] = plugins.KeyManager
  const [nodeAttestor] = plugins.NodeAttestor
  if (keyManager === undefined || nodeAttestor === undefined || agent.bootstrap === undefined) {
    throw new Error('a configuration without mistakes lacks a required part')
  }
  return {
    adminSocketPath: agent.admin_socket_path,
    allowUnauthenticatedVerifiers: agent.allow_unauthenticated_verifiers,
    allowedForeignJwtClaims: agent.allowed_foreign_jwt_claims,
    authorizedDelegates: agent.authorized_delegates,
    availabilityTargetSeconds: agent.availability_target,
    bootstrap: agent.bootstrap,
    broker: brokerSettings(agent.experimental.broker),
    dataDir: agent.data_dir,
    disableWorkloadApi: agent.disable_workload_api,
    health: health.settings,
    joinToken: agent.joinToken,
    jwtSvidCacheHitTimeoutMs: agent.experimental.jwt_svid_cache_hit_timeout,
    jwtSvidCacheMaxSize: agent.jwt_svid_cache_max_size,
    keyManager:
      keyManager.name === 'disk'
        ? { kind: 'disk', directory: keyManager.data.directory }
        : { kind: 'memory' },
    log: logConfig(agent),
    logSelectors: agent.log_selectors,
    nodeAttestor: nodeAttestorConfig(nodeAttestor),
    rebootstrap: { mode: agent.rebootstrap_mode, delayMs: agent.rebootstrap_delay },
    requirePqKem: agent.experimental.require_pq_kem,
    sds: agent.disable_sds_api ? undefined : sdsSettings(agent.sds),
    ...serversOf(agent.server_address, agent.server_port),
    socketPath: agent.socket_path,
    syncIntervalMs: agent.experimental.sync_interval,
    telemetry: telemetrySettings(telemetry),
    trustDomain: agent.trust_domain,
    usesSyncEntries: agent.experimental.use_sync_authorized_entries,
    warnings,
    workloadAttestors: plugins.WorkloadAttestor.map((one) => workloadAttestorConfig(one, env)),
    workloadKeyType: agent.workload_x509_svid_key_type,
    workloadRates: workloadRates(agent.experimental.ratelimit),
    x509SvidCacheMaxSize: agent.x509_svid_cache_max_size,
  }
}

type NodeAttestorPlugin = Read<(typeof agentFile)['keys']>['plugins']['NodeAttestor'][number]

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

type WorkloadAttestorPlugin = Read<
  (typeof agentFile)['keys']
>['plugins']['WorkloadAttestor'][number]

function workloadAttestorConfig(
  plugin: WorkloadAttestorPlugin,
  env: AgentConfigInput['env'],
): WorkloadAttestorConfig {
  switch (plugin.name) {
    case 'docker':
      return dockerAttestorConfig(plugin.data)
    case 'k8s':
      return k8sAttestorConfig(plugin.data, env)
    case 'systemd':
      return { kind: 'systemd', busPath: systemBusPath(env.DBUS_SYSTEM_BUS_ADDRESS) }
    case 'unix':
      return {
        kind: 'unix',
        discoverWorkloadPath: plugin.data.discover_workload_path,
        workloadSizeLimitBytes: plugin.data.workload_size_limit,
      }
    default:
      return plugin satisfies never
  }
}
