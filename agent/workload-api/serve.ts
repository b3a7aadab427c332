/**
 * Opens the agent's public socket: the Workload API, the health check and reflection, for every local process. Who
 * calls is told by the kernel; nothing that a caller says about itself counts.
 *
 * @see Workload-Endpoint — transport, header and error codes
 */
import { Server } from '@grpc/grpc-js'
import type { HealthHandlers } from '../../proto/gen/grpc/health/v1/Health.ts'
import type { SpiffeWorkloadAPIHandlers } from '../../proto/gen/SpiffeWorkloadAPI.ts'
import { definitionsOf, healthApi, workloadApi } from '../../proto/load.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { addReflection } from '../../proto/reflection/reflection-service.ts'
import { addService, type Endpoint } from '../../proto/serve.ts'
import { listenUnix } from '../../proto/unix-listener.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Attest } from '../attest/attest.ts'
import { type CallLimits, DEFAULT_CALL_LIMITS, limitCalls } from './call-limit.ts'
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
  readonly limits?: CallLimits
  readonly rates?: WorkloadRates
  /** Told of every call that came too soon, by its full method. */
  readonly onRateExceeded?: (method: string) => void
  readonly observe?: Endpoint<UnixCaller>['observe']
}

/** Attestation decides who gets what, so everybody may connect. */
const SOCKET_MODE = 0o777
/** Requests are a header and a token at most. */
const MAX_REQUEST_BYTES = 256 * 1024
/** Streams count before anything has been asked over them; one more than may be open, so that the next is told why. */
const MAX_STREAMS_PER_CONNECTION = DEFAULT_CALL_LIMITS.perProcess + 1
/** How long calls may take to end when the agent stops. */
const DRAIN_MS = 2_000

/** Disposing ends all streams with Unavailable, then closes the socket. @throws IdentityError CONFIG_INVALID */
export async function serveWorkloadApi(options: WorkloadApiOptions): Promise<AsyncDisposable> {
  const { path, source, clock, log } = options
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
  })
  const stopping = new AbortController()
  const listener = await listenUnix({
    path,
    mode: SOCKET_MODE,
    server,
    onRefused: (err) => log.warn({ err }, 'Refused a connection of an unidentified process'),
  })
  const endpoint = (authorize: Endpoint<UnixCaller>['authorize']): Endpoint<UnixCaller> => ({
    server,
    callerOf: listener.callerOf,
    authorize,
    ...(options.observe === undefined ? {} : { observe: options.observe }),
    onFailure(failure) {
      if (!stopping.signal.aborted) reportFailure(log, failure)
      if (isStranger(failure.error) && failure.caller !== undefined) listener.hangUp(failure.caller)
    },
  })
  const admit = limitCalls(options.limits ?? DEFAULT_CALL_LIMITS)
  const limitRate = limitRates({
    rates: options.rates ?? NO_RATES,
    clock,
    ...(options.onRateExceeded === undefined ? {} : { onExceeded: options.onRateExceeded }),
  })
  addService<UnixCaller, SpiffeWorkloadAPIHandlers>(
    endpoint(async ({ metadata }) => requireSecurityHeader(metadata)),
    workloadApi().service,
    workloadService({ ...options, admit, limitRate, stopping: stopping.signal }),
  )
  addService<UnixCaller, HealthHandlers>(
    endpoint(async () => {}),
    healthApi().service,
    healthService(source),
  )
  addReflection<UnixCaller>({
    endpoint: endpoint(async () => {}),
    definitions: [definitionsOf('workload'), definitionsOf('health')],
    admit: ({ caller }) => admit(caller.pid),
  })
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

function isStranger(error: unknown): boolean {
  return error instanceof IdentityError && error.code === 'CALLER_UNIDENTIFIED'
}
