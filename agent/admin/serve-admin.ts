/**
 * The agent's admin socket: whoever may open it sees what the agent keeps and sets its log level, so the mode of the
 * file is the whole of that protection. Identities are another matter: only an attested, authorized delegate is given any. It is
 * not there unless `admin_socket_path` is given.
 *
 * @see SPIRE API §1 — agent admin UDS
 */
import { Server } from '@grpc/grpc-js'
import type { LevelSwitch } from '../../log/level-switch.ts'
import type { Log } from '../../log/open-log.ts'
import type { StreamBounds } from '../../proto/bound-streams.ts'
import type { DebugHandlers } from '../../proto/gen/spire/agent/debug/v1/Debug.ts'
import type { DelegatedIdentityHandlers } from '../../proto/gen/spire/api/agent/delegatedidentity/v1/DelegatedIdentity.ts'
import type { LoggerHandlers } from '../../proto/gen/spire/api/agent/logger/v1/Logger.ts'
import type { ExplainHandlers } from '../../proto/gen/steeple/agent/explain/v1/Explain.ts'
import {
  agentDebugApi,
  agentLoggerApi,
  delegatedIdentityApi,
  explainApi,
} from '../../proto/load.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { addService, type Endpoint } from '../../proto/serve.ts'
import { listenUnix } from '../../proto/unix-listener.ts'
import {
  type DelegatedIdentityDeps,
  delegatedIdentityService,
} from '../delegated-identity/delegated-identity-service.ts'
import { reportRefusal } from '../delegated-identity/report-refusal.ts'
import { type ExplainServiceDeps, explainService } from '../explain/explain-service.ts'
import { failureFields } from '../failure-fields.ts'
import { type DebugServiceDeps, debugService } from './debug-service.ts'
import { loggerService } from './logger-service.ts'

export interface AdminOptions {
  readonly path: string
  readonly debug: DebugServiceDeps
  readonly delegated: DelegatedIdentityDeps
  readonly explain: ExplainServiceDeps
  readonly logLevel: LevelSwitch
  readonly observe?: Endpoint<UnixCaller>['observe']
  readonly log: Log
}

/** Owner and group, nobody else. */
const SOCKET_MODE = 0o770
/** Requests are a handful of numbers, entry IDs and selectors. */
const MAX_REQUEST_BYTES = 64 * 1024
const MIB = 1024 * 1024
/** A delegate has a stream for each workload of its node, and each answer is of all that it is given. */
const BOUNDS: StreamBounds = {
  streams: { perProcess: 8_192, total: 16_384 },
  requestBytes: { perProcess: 16 * MIB, total: 64 * MIB },
  unsentBytes: { perProcess: 64 * MIB, total: 256 * MIB },
}
/** One more than a delegate may have, so that it is told why. */
const MAX_STREAMS_PER_CONNECTION = BOUNDS.streams.perProcess + 1

/** Disposing closes the socket; calls are short and streams are opened again, so what is under way is cut off. @throws IdentityError CONFIG_INVALID */
export async function serveAdmin(options: AdminOptions): Promise<AsyncDisposable> {
  const { path, log } = options
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
  })
  const listener = await listenUnix({
    path,
    mode: SOCKET_MODE,
    server,
    bounds: BOUNDS,
    onRefused: (err) => log.warn({ err }, 'Refused a caller of the admin socket'),
  })
  const endpoint: Endpoint<UnixCaller> = {
    server,
    callerOf: listener.callerOf,
    async authorize() {}, // whoever could open the socket may
    onFailure: ({ method, error, caller }) =>
      log.info(
        { method, pid: caller?.pid, ...failureFields(error) },
        'A call of an administrator failed',
      ),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  }
  addService<UnixCaller, DebugHandlers>(
    endpoint,
    agentDebugApi().service,
    debugService(options.debug),
  )
  addService<UnixCaller, LoggerHandlers>(
    endpoint,
    agentLoggerApi().service,
    loggerService(options.logLevel),
  )
  addService<UnixCaller, DelegatedIdentityHandlers>(
    { ...endpoint, onFailure: (failure) => reportRefusal(log, failure) },
    delegatedIdentityApi().service,
    delegatedIdentityService(options.delegated),
  )
  addService<UnixCaller, ExplainHandlers>(
    endpoint,
    explainApi().service,
    explainService(options.explain),
  )
  return {
    async [Symbol.asyncDispose]() {
      await listener.drain(AbortSignal.abort())
      server.forceShutdown()
    },
  }
}
