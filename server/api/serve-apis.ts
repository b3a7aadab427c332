/**
 * The server's two endpoints with their services: the TCP port for agents and remote administrators, the admin
 * socket for whoever may open it. Health, debugging and the logger are served on the socket alone.
 *
 * @see SPIRE API §1 — endpoints
 */
import { Server, type ServerOptions } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import { offeredService } from '../../proto/offered-service.ts'
import { addService, type Endpoint } from '../../proto/serve.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { rpcName } from '../../telemetry/rpc-name.ts'
import { auditCall } from '../audit/audit-log.ts'
import { listenAdmin } from '../listen/admin-socket.ts'
import { type AdmitDeps, admitCall } from '../listen/admit-call.ts'
import { addressOf, type Caller } from '../listen/caller.ts'
import { drainServer } from '../listen/drain.ts'
import { logFailedCall } from '../listen/failed-call.ts'
import { listenTls, type TlsListenerOptions } from '../listen/tls-listener.ts'
import { type AgentServiceDeps, agentService } from './agent/agent-service.ts'
import { type AuthorityServiceDeps, authorityService } from './authority/authority-service.ts'
import { type BackupServiceDeps, backupService } from './backup/backup-service.ts'
import { type BundleServiceDeps, bundleService } from './bundle/bundle-service.ts'
import { type DebugServiceDeps, debugService } from './debug/debug-service.ts'
import { type EntryServiceDeps, entryService } from './entry/entry-service.ts'
import { type FederationServiceDeps, federationService } from './federation/federation-service.ts'
import { type HealthServiceDeps, healthService } from './health/health-service.ts'
import {
  type LocalAuthorityServiceDeps,
  localAuthorityService,
} from './local-authority/local-authority-service.ts'
import { type LoggerServiceDeps, loggerService } from './logger/logger-service.ts'
import { type MeshServiceDeps, meshService } from './mesh/mesh-service.ts'
import { type SvidServiceDeps, svidService } from './svid/svid-service.ts'
import { syncService } from './sync/sync-service.ts'
import type { WatchDeps } from './sync/watch.ts'
import {
  type TrustDomainServiceDeps,
  trustDomainService,
} from './trust-domain/trust-domain-service.ts'

export type ApiDeps = AgentServiceDeps &
  AuthorityServiceDeps &
  BackupServiceDeps &
  BundleServiceDeps &
  DebugServiceDeps &
  EntryServiceDeps &
  FederationServiceDeps &
  HealthServiceDeps &
  LocalAuthorityServiceDeps &
  LoggerServiceDeps &
  MeshServiceDeps &
  SvidServiceDeps &
  TrustDomainServiceDeps &
  WatchDeps &
  AdmitDeps & {
    readonly log: Log
    readonly hasAuditLog: boolean
    readonly metrics: Metrics
    randomUuid(): string
  }

export interface Apis extends AsyncDisposable {
  /** The TCP port that was bound. */
  readonly port: number
}

/** What Go's gRPC takes, on both ends of every SPIRE connection. */
const MAX_RECEIVE_BYTES = 4 * 1024 * 1024
/** SPIRE's: connections are made anew, so that agents look their server up again. Open streams may go on. */
const MAX_CONNECTION_AGE_MS = 3 * 60_000
const MAX_STREAMS_PER_CONNECTION = 1_000
/** Of a connection without a certificate, which may attest and read the bundle: what it begins and never ends is kept. */
const MAX_ANONYMOUS_STREAMS = 16
/** Attestation data, a certificate chain at most, and a CSR. */
const MAX_ANONYMOUS_RECEIVE_BYTES = 1024 * 1024

const SHARED_OPTIONS: ServerOptions = {
  'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
  // A list without paging is as long as it is; SPIRE sets no limit either.
  'grpc.max_send_message_length': -1,
  'grpc.enable_channelz': 0,
  'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
}

const TCP_OPTIONS: ServerOptions = {
  ...SHARED_OPTIONS,
  'grpc.max_connection_age_ms': MAX_CONNECTION_AGE_MS,
}

/** A stranger can make us hold the product of both for each connection, and no more. */
const ANONYMOUS_OPTIONS: ServerOptions = {
  ...TCP_OPTIONS,
  'grpc.max_receive_message_length': MAX_ANONYMOUS_RECEIVE_BYTES,
  'grpc.max_concurrent_streams': MAX_ANONYMOUS_STREAMS,
}

/** Of both endpoints and of the administrators' own. */
const OFFERED = {
  backup: offeredService('backup', 'steeple.server.backup.v1.Backup'),
  debug: offeredService('debug', 'spire.api.server.debug.v1.Debug'),
  health: offeredService('health', 'grpc.health.v1.Health'),
  logger: offeredService('logger', 'spire.api.server.logger.v1.Logger'),
  agent: offeredService('agent', 'spire.api.server.agent.v1.Agent'),
  entry: offeredService('entry', 'spire.api.server.entry.v1.Entry'),
  bundle: offeredService('bundle', 'spire.api.server.bundle.v1.Bundle'),
  svid: offeredService('svid', 'spire.api.server.svid.v1.SVID'),
  localAuthority: offeredService(
    'localAuthority',
    'spire.api.server.localauthority.v1.LocalAuthority',
  ),
  trustDomain: offeredService('trustDomain', 'spire.api.server.trustdomain.v1.TrustDomain'),
  federation: offeredService('federation', 'steeple.server.federation.v1.Federation'),
  authority: offeredService('authority', 'steeple.server.authority.v1.Authority'),
  mesh: offeredService('mesh', 'steeple.server.mesh.v1.Mesh'),
  sync: offeredService('sync', 'steeple.server.sync.v1.Sync'),
} as const

/** @throws IdentityError CONFIG_INVALID when the port or the socket cannot be had */
export async function serveApis(
  deps: ApiDeps,
  listen: Omit<TlsListenerOptions, 'server' | 'log' | 'drain'> & { readonly socketPath: string },
): Promise<Apis> {
  const { log, clock } = deps
  const tcpServer = new Server(TCP_OPTIONS)
  const anonymousServer = new Server(ANONYMOUS_OPTIONS)
  const adminServer = new Server(SHARED_OPTIONS)
  await using stack = new AsyncDisposableStack()

  // Each endpoint gets its services in the turn in which it begins to listen: no call comes before them.
  const tcp = await listenTls({
    ...listen,
    ...{ server: tcpServer, anonymousServer, log },
    async drain() {
      await Promise.all([drainServer(tcpServer, clock), drainServer(anonymousServer, clock)])
    },
  })
  stack.use(tcp)
  for (const server of [tcpServer, anonymousServer]) {
    addServices({ ...endpointOf(deps), server, callerOf: tcp.callerOf }, deps)
  }

  const admin = await listenAdmin({ socketPath: listen.socketPath, server: adminServer, log })
  stack.defer(() => drainServer(adminServer, clock))
  stack.use(admin)
  const local = { ...endpointOf(deps), server: adminServer, callerOf: admin.callerOf }
  addServices(local, deps)
  addService(local, OFFERED.backup, backupService(deps))
  addService(local, OFFERED.debug, debugService(deps))
  addService(local, OFFERED.health, healthService(deps))
  addService(local, OFFERED.logger, loggerService(deps))

  log.info({ network: 'unix', address: listen.socketPath }, 'Starting Server APIs')
  const address = addressOf({ ip: listen.bindAddress, port: tcp.port })
  log.info({ network: 'tcp', address }, 'Starting Server APIs')
  const opened = stack.move()
  return { port: tcp.port, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

function endpointOf(deps: ApiDeps): Omit<Endpoint<Caller>, 'server' | 'callerOf'> {
  return {
    authorize: (call) => admitCall(call, deps),
    onFailure: (failure) => logFailedCall(deps.log, failure),
    observe(method) {
      const measured = deps.metrics.call(rpcName(method).metric)
      return (end) => {
        measured(end.error)
        if (deps.hasAuditLog) auditCall(method, end, deps)
      }
    },
  }
}

function addServices(endpoint: Endpoint<Caller>, deps: ApiDeps): void {
  addService(endpoint, OFFERED.agent, agentService(deps))
  addService(endpoint, OFFERED.entry, entryService(deps))
  addService(endpoint, OFFERED.bundle, bundleService(deps))
  addService(endpoint, OFFERED.svid, svidService(deps))
  addService(endpoint, OFFERED.localAuthority, localAuthorityService(deps))
  addService(endpoint, OFFERED.trustDomain, trustDomainService(deps))
  addService(endpoint, OFFERED.federation, federationService(deps))
  addService(endpoint, OFFERED.authority, authorityService(deps))
  addService(endpoint, OFFERED.mesh, meshService(deps))
  addService(endpoint, OFFERED.sync, syncService(deps))
}
