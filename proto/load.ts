/**
 * Service definitions and client constructors, loaded from the .proto files when first asked for.
 * Field names stay as in the protocol, int64 are numbers (all of ours are times and counters), enums are names.
 */
import { fileURLToPath } from 'node:url'
import { type GrpcObject, loadPackageDefinition } from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import type { ProtoGrpcType as AgentTypes } from './gen/agent.ts'
import type { ProtoGrpcType as AgentDebugTypes } from './gen/agent_debug.ts'
import type { ProtoGrpcType as AgentLoggerTypes } from './gen/agent_logger.ts'
import type { ProtoGrpcType as AuthorityTypes } from './gen/authority.ts'
import type { ProtoGrpcType as BackupTypes } from './gen/backup.ts'
import type { ProtoGrpcType as BrokerTypes } from './gen/broker.ts'
import type { ProtoGrpcType as BundleTypes } from './gen/bundle.ts'
import type { ProtoGrpcType as IstioCaTypes } from './gen/ca.ts'
import type { ProtoGrpcType as DebugTypes } from './gen/debug.ts'
import type { ProtoGrpcType as DelegatedIdentityTypes } from './gen/delegated_identity.ts'
import type { ProtoGrpcType as EntryTypes } from './gen/entry.ts'
import type { ProtoGrpcType as ExplainTypes } from './gen/explain.ts'
import type { ProtoGrpcType as ExternalAuthTypes } from './gen/external_auth.ts'
import type { ProtoGrpcType as FederationTypes } from './gen/federation.ts'
import type { ProtoGrpcType as HealthTypes } from './gen/health.ts'
import type { ProtoGrpcType as LinkerdTypes } from './gen/identity.ts'
import type { ProtoGrpcType as LocalAuthorityTypes } from './gen/localauthority.ts'
import type { ProtoGrpcType as LoggerTypes } from './gen/logger.ts'
import type { ProtoGrpcType as MeshTypes } from './gen/mesh.ts'
import type { ProtoGrpcType as ReflectionTypes } from './gen/reflection.ts'
import type { ProtoGrpcType as ReflectionAlphaTypes } from './gen/reflection_v1alpha.ts'
import type { ProtoGrpcType as SecretDiscoveryTypes } from './gen/sds.ts'
import type { ProtoGrpcType as SvidTypes } from './gen/svid.ts'
import type { ProtoGrpcType as SyncTypes } from './gen/sync.ts'
import type { ProtoGrpcType as TrustDomainTypes } from './gen/trustdomain.ts'
import type { ProtoGrpcType as WorkloadTypes } from './gen/workload.ts'

const FILES = {
  agent: 'spire/api/server/agent/v1/agent.proto',
  bundle: 'spire/api/server/bundle/v1/bundle.proto',
  entry: 'spire/api/server/entry/v1/entry.proto',
  svid: 'spire/api/server/svid/v1/svid.proto',
  trustDomain: 'spire/api/server/trustdomain/v1/trustdomain.proto',
  localAuthority: 'spire/api/server/localauthority/v1/localauthority.proto',
  debug: 'spire/api/server/debug/v1/debug.proto',
  logger: 'spire/api/server/logger/v1/logger.proto',
  sync: 'steeple/server/sync/v1/sync.proto',
  federation: 'steeple/server/federation/v1/federation.proto',
  authority: 'steeple/server/authority/v1/authority.proto',
  mesh: 'steeple/server/mesh/v1/mesh.proto',
  backup: 'steeple/server/backup/v1/backup.proto',
  agentDebug: 'spire/agent/debug/v1/agent_debug.proto',
  agentLogger: 'spire/api/agent/logger/v1/agent_logger.proto',
  delegatedIdentity: 'spire/api/agent/delegatedidentity/v1/delegated_identity.proto',
  broker: 'spiffe/broker/broker.proto',
  explain: 'steeple/agent/explain/v1/explain.proto',
  externalAuth: 'envoy/service/auth/v3/external_auth.proto',
  secretDiscovery: 'envoy/service/secret/v3/sds.proto',
  istioCa: 'istio/v1/auth/ca.proto',
  linkerd: 'linkerd2/identity.proto',
  health: 'grpc/health/v1/health.proto',
  reflection: 'grpc/reflection/v1/reflection.proto',
  reflectionAlpha: 'grpc/reflection/v1alpha/reflection_v1alpha.proto',
  workload: 'workload/workload.proto',
  status: 'google/rpc/status.proto',
  errorDetails: 'google/rpc/error_details.proto',
} as const

export type ProtoFile = keyof typeof FILES

export const PROTO_FILES = Object.keys(FILES) as readonly ProtoFile[]

const definitions = new Map<string, PackageDefinition>()

/** The raw definitions of one .proto file and what it imports; parsed once per process. */
export function definitionsOf(file: ProtoFile): PackageDefinition {
  let known = definitions.get(file)
  if (known === undefined) {
    known = loadSync(FILES[file], {
      includeDirs: [fileURLToPath(new URL('.', import.meta.url))],
      keepCase: true,
      longs: Number,
      enums: String,
      defaults: true,
      oneofs: true,
    })
    definitions.set(file, known)
  }
  return known
}

// Each cast pairs a .proto file with the types generated from the same file.
const load = (file: ProtoFile): GrpcObject => loadPackageDefinition(definitionsOf(file))

export const agentApi = () =>
  (load('agent') as unknown as AgentTypes).spire.api.server.agent.v1.Agent
export const bundleApi = () =>
  (load('bundle') as unknown as BundleTypes).spire.api.server.bundle.v1.Bundle
export const entryApi = () =>
  (load('entry') as unknown as EntryTypes).spire.api.server.entry.v1.Entry
export const svidApi = () => (load('svid') as unknown as SvidTypes).spire.api.server.svid.v1.SVID
export const syncApi = () => (load('sync') as unknown as SyncTypes).steeple.server.sync.v1.Sync
export const federationApi = () =>
  (load('federation') as unknown as FederationTypes).steeple.server.federation.v1.Federation
export const authorityApi = () =>
  (load('authority') as unknown as AuthorityTypes).steeple.server.authority.v1.Authority
export const meshApi = () => (load('mesh') as unknown as MeshTypes).steeple.server.mesh.v1.Mesh
export const backupApi = () =>
  (load('backup') as unknown as BackupTypes).steeple.server.backup.v1.Backup
export const istioCaApi = () =>
  (load('istioCa') as unknown as IstioCaTypes).istio.v1.auth.IstioCertificateService
export const linkerdApi = () =>
  (load('linkerd') as unknown as LinkerdTypes).io.linkerd.proxy.identity.Identity
export const externalAuthApi = () =>
  (load('externalAuth') as unknown as ExternalAuthTypes).envoy.service.auth.v3.Authorization
export const secretDiscoveryApi = () =>
  (load('secretDiscovery') as unknown as SecretDiscoveryTypes).envoy.service.secret.v3
    .SecretDiscoveryService
export const healthApi = () => (load('health') as unknown as HealthTypes).grpc.health.v1.Health
export const workloadApi = () => (load('workload') as unknown as WorkloadTypes).SpiffeWorkloadAPI
export const trustDomainApi = () =>
  (load('trustDomain') as unknown as TrustDomainTypes).spire.api.server.trustdomain.v1.TrustDomain
export const localAuthorityApi = () =>
  (load('localAuthority') as unknown as LocalAuthorityTypes).spire.api.server.localauthority.v1
    .LocalAuthority
export const debugApi = () =>
  (load('debug') as unknown as DebugTypes).spire.api.server.debug.v1.Debug
export const loggerApi = () =>
  (load('logger') as unknown as LoggerTypes).spire.api.server.logger.v1.Logger
export const agentDebugApi = () =>
  (load('agentDebug') as unknown as AgentDebugTypes).spire.agent.debug.v1.Debug
export const agentLoggerApi = () =>
  (load('agentLogger') as unknown as AgentLoggerTypes).spire.api.agent.logger.v1.Logger
export const delegatedIdentityApi = () =>
  (load('delegatedIdentity') as unknown as DelegatedIdentityTypes).spire.api.agent.delegatedidentity
    .v1.DelegatedIdentity
export const brokerApi = () => (load('broker') as unknown as BrokerTypes).spiffe.broker.API
export const explainApi = () =>
  (load('explain') as unknown as ExplainTypes).steeple.agent.explain.v1.Explain
export const reflectionApi = () =>
  (load('reflection') as unknown as ReflectionTypes).grpc.reflection.v1.ServerReflection
export const reflectionAlphaApi = () =>
  (load('reflectionAlpha') as unknown as ReflectionAlphaTypes).grpc.reflection.v1alpha
    .ServerReflection
