/**
 * Opens the agent's public socket: the Workload API, secret discovery for proxies, the health check and reflection, for
 * every local process. Who calls is told by the kernel; nothing that a caller says about itself counts.
 *
 * @see Workload-Endpoint — transport, header and error codes
 */
import { randomBytes } from 'node:crypto'
import { Server } from '@grpc/grpc-js'
import type { StreamBounds } from '../../proto/bound-streams.ts'
import { encodingOnce } from '../../proto/encode-once.ts'
import type { SecretDiscoveryServiceHandlers } from '../../proto/gen/envoy/service/secret/v3/SecretDiscoveryService.ts'
import type { HealthHandlers } from '../../proto/gen/grpc/health/v1/Health.ts'
import type { SpiffeWorkloadAPIHandlers } from '../../proto/gen/SpiffeWorkloadAPI.ts'
import { definitionsOf, healthApi, secretDiscoveryApi, workloadApi } from '../../proto/load.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { addReflection } from '../../proto/reflection/reflection-service.ts'
import { addService, type Endpoint } from '../../proto/serve.ts'
import type { Bounds } from '../../proto/share-out.ts'
import { listenUnix } from '../../proto/unix-listener.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Attest } from '../attest/attest.ts'
import { reportSdsFailure } from '../sds/not-authorized.ts'
import { secretDiscoveryService } from '../sds/secret-discovery-service.ts'
import type { SdsSettings } from '../sds/settings.ts'
import { healthService } from './health-service.ts'
import { limitRates, NO_RATES, type WorkloadRates } from './rate-limit.ts'
import { reportFailure } from './report-failure.ts'
import { requireSecurityHeader } from './security-header.ts'
import type { AnswerDeps } from './workload.ts'
import { workloadService } from './workload-service.ts'

export interface WorkloadApiOptions extends AnswerDeps {
  /** The socket file, made with mode 0777 in a directory made with 0755. */
  readonly path: string
  readonly attest: Attest
  /** The other services of the socket are there all the same. */
  readonly isWorkloadApiOff?: boolean
  /** Left out: no secret discovery. */
  readonly sds?: SdsSettings
  /** Open calls, instead of the usual bounds. */
  readonly streams?: Bounds
  readonly rates?: WorkloadRates
  /** Told of every call that came too soon, by its full method. */
  readonly onRateExceeded?: (method: string) => void
  readonly observe?: Endpoint<UnixCaller>['observe']
}

/** Attestation decides who gets what, so everybody may connect. */
const SOCKET_MODE = 0o777
/** Requests are a header, a token, or what an Envoy says of itself. */
const MAX_REQUEST_BYTES = 256 * 1024
const MIB = 1024 * 1024
/** A program has a handful of streams, and a proxy one for each secret; an answer is some kilobytes. */
const BOUNDS: StreamBounds = {
  streams: { perProcess: 1_024, total: 16_384 },
  requestBytes: { perProcess: 8 * MIB, total: 64 * MIB },
  unsentBytes: { perProcess: 16 * MIB, total: 128 * MIB },
}
/** Streams count before anything has been asked over them; one more than may be open, so that the next is told why. */
const MAX_STREAMS_PER_CONNECTION = BOUNDS.streams.perProcess + 1
/** How long calls may take to end when the agent stops. */
const DRAIN_MS = 2_000

/** Disposing ends all streams with Unavailable, then closes the socket. @throws IdentityError CONFIG_INVALID */
export async function serveWorkloadApi(options: WorkloadApiOptions): Promise<AsyncDisposable> {
  const { path, clock, log } = options
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
    'grpc.enable_channelz': 0,
  })
  const stopping = new AbortController()
  const listener = await listenUnix({
    path,
    mode: SOCKET_MODE,
    server,
    bounds: { ...BOUNDS, streams: options.streams ?? BOUNDS.streams },
    onRefused: (err) => log.warn({ err }, refusedWhat(err)),
  })
  const endpoint: MakeEndpoint = (authorize, report = reportFailure) => ({
    server,
    callerOf: listener.callerOf,
    authorize,
    ...(options.observe === undefined ? {} : { observe: options.observe }),
    stopping: stopping.signal,
    onFailure(failure) {
      if (!stopping.signal.aborted) report(log, failure)
      if (isStranger(failure.error) && failure.caller !== undefined) listener.hangUp(failure.caller)
    },
  })
  addServices(options, endpoint, stopping.signal)
  return {
    async [Symbol.asyncDispose]() {
      if (stopping.signal.aborted) return
      stopping.abort()
      const [drained, late] = [new AbortController(), new AbortController()]
      const drain = listener.drain(late.signal).then(() => drained.abort())
      await clock.sleep(DRAIN_MS, drained.signal)
      late.abort()
      await drain
      server.forceShutdown()
    },
  }
}

type MakeEndpoint = (
  authorize: Endpoint<UnixCaller>['authorize'],
  report?: typeof reportFailure,
) => Endpoint<UnixCaller>

function addServices(
  options: WorkloadApiOptions,
  endpoint: MakeEndpoint,
  stopping: AbortSignal,
): void {
  const limitRate = limitRates({
    rates: options.rates ?? NO_RATES,
    clock: options.clock,
    ...(options.onRateExceeded === undefined ? {} : { onExceeded: options.onRateExceeded }),
  })
  const attending = { ...options, limitRate, stopping }
  if (options.isWorkloadApiOff !== true) {
    addService<UnixCaller, SpiffeWorkloadAPIHandlers>(
      endpoint(async ({ metadata }) => requireSecurityHeader(metadata)),
      encodingOnce(workloadApi().service, ['FetchX509SVID']),
      workloadService(attending),
    )
  }
  if (options.sds !== undefined) {
    addService<UnixCaller, SecretDiscoveryServiceHandlers>(
      endpoint(async () => {}, reportSdsFailure),
      secretDiscoveryApi().service,
      secretDiscoveryService({ ...attending, settings: options.sds, randomBytes }),
    )
  }
  addService<UnixCaller, HealthHandlers>(
    endpoint(async () => {}),
    healthApi().service,
    healthService(options.source),
  )
  addReflection<UnixCaller>({
    endpoint: endpoint(async () => {}),
    definitions: definitionsServed(options),
  })
}

function definitionsServed({ isWorkloadApiOff, sds }: WorkloadApiOptions) {
  return [
    ...(isWorkloadApiOff === true ? [] : [definitionsOf('workload')]),
    ...(sds === undefined ? [] : [definitionsOf('secretDiscovery')]),
    definitionsOf('health'),
  ]
}

function refusedWhat(error: unknown): string {
  return isStranger(error)
    ? 'Refused a connection of an unidentified process'
    : 'Refused a process that has too much open; further refusals are not logged until it has closed all its connections'
}

function isStranger(error: unknown): boolean {
  return error instanceof IdentityError && error.code === 'CALLER_UNIDENTIFIED'
}
