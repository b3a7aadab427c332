/**
 * `UpstreamAuthority "spire"`: another SPIRE server of the same trust domain signs our CAs. We are known to it by the
 * X509-SVID of a downstream entry, which its agent hands out on this machine; it is known to us by its own.
 *
 * @see SPIRE behaviour §8 — nesting
 */
import type { ClientUnaryCall, ServiceError } from '@grpc/grpc-js'
import type { BundleClient } from '../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { PublishJWTAuthorityResponse } from '../../proto/gen/spire/api/server/bundle/v1/PublishJWTAuthorityResponse.ts'
import type { NewDownstreamX509CAResponse } from '../../proto/gen/spire/api/server/svid/v1/NewDownstreamX509CAResponse.ts'
import type { SVIDClient } from '../../proto/gen/spire/api/server/svid/v1/SVID.ts'
import type { Bundle as WireBundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { bundleApi, svidApi } from '../../proto/load.ts'
import { fromStatus } from '../../proto/status.ts'
import { fromWireBundle, toWireBundle } from '../../proto/wire.ts'
import { emptyBundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { serverId, type TrustDomain } from '../../spiffe/id.ts'
import { authorizeId } from '../../workload/tls/authorize.ts'
import { grpcCredentials } from '../../workload/tls/grpc-credentials.ts'
import { openX509Source, type X509Source } from '../../workload/x509-source.ts'
import type { UpstreamAuthority } from './upstream-authority.ts'

export interface SpireUpstreamConfig {
  readonly kind: 'spire'
  readonly host: string
  readonly port: number
  /** Unix socket of the upstream server's agent. */
  readonly workloadApiSocket: string
  /** No connection to the upstream server without a post-quantum key exchange. */
  readonly requirePqKem: boolean
}

export interface SpireUpstreamDeps {
  readonly trustDomain: TrustDomain
  readonly clock: Clock
  /** Aborts when the server is to stop: nobody is waited for then. */
  readonly signal: AbortSignal
  /** Told of what is tried again. */
  readonly onFailure: (error: unknown) => void
}

const DEADLINE_MS = 30_000
/** As SPIRE's. */
const POLL_MS = 5_000
const MAX_MESSAGE_BYTES = 4 << 20

/** Of asking an agent again that has refused us for good: it may be another one by then. Doubles up to the deadline. */
const FIRST_PAUSE_MS = 1_000

interface Connection extends AsyncDisposable {
  readonly svid: SVIDClient
  readonly bundle: BundleClient
  /** The agent renews our identity no more. */
  isRefused(): boolean
}

/** Nothing is opened before it is needed. */
export function openSpireUpstream(
  config: SpireUpstreamConfig,
  deps: SpireUpstreamDeps,
): UpstreamAuthority {
  const { clock, trustDomain, onFailure } = deps
  let opened: Promise<Connection> | undefined
  let renewing: Promise<void> | undefined
  /** The one in use works until its SVID expires; another takes its place once it is there. */
  const renew = async (held: Connection) => {
    const next = await connect(config, deps)
    opened = Promise.resolve(next)
    await held[Symbol.asyncDispose]()
  }
  const connection = async () => {
    opened ??= connect(config, deps).catch((error) => {
      opened = undefined // the next call tries anew
      throw error
    })
    const held = await opened
    if (held.isRefused()) {
      renewing ??= renew(held)
        .catch(onFailure)
        .finally(() => {
          renewing = undefined
        })
    }
    return held
  }
  const call = async <T>(what: string, start: Start<T>) => {
    try {
      return await unary<T>(await connection(), start, deps.signal)
    } catch (error) {
      const why = `upstream server at ${config.host}:${config.port}: ${what}: ${reasonOf(error)}`
      throw new IdentityError('UNAVAILABLE', why, { cause: error })
    }
  }
  const deadline = () => ({ deadline: clock.now().getTime() + DEADLINE_MS })
  const getBundle = async () =>
    fromWireBundle(
      await call<WireBundle>('GetBundle', ({ bundle }, done) =>
        bundle.GetBundle({}, deadline(), done),
      ),
    )
  return {
    name: 'spire',
    async mintX509Ca(csr, ttlSeconds) {
      const request = { csr, preferred_ttl: ttlSeconds }
      const { ca_cert_chain, x509_authorities } = await call<NewDownstreamX509CAResponse>(
        'NewDownstreamX509CA',
        ({ svid }, done) => svid.NewDownstreamX509CA(request, deadline(), done),
      )
      const [first, ...rest] = ca_cert_chain
      if (first === undefined) throw new IdentityError('UNAVAILABLE', 'upstream signed no CA')
      return {
        chain: [first, ...rest],
        roots: x509_authorities.map((der) => ({ der, tainted: false })),
      }
    },
    async publishJwtKey(key) {
      const own = { ...emptyBundle(trustDomain), jwtAuthorities: [key] }
      const [jwt_authority] = toWireBundle(own).jwt_authorities ?? []
      const { jwt_authorities } = await call<PublishJWTAuthorityResponse>(
        'PublishJWTAuthority',
        ({ bundle }, done) =>
          bundle.PublishJWTAuthority({ jwt_authority: jwt_authority ?? null }, deadline(), done),
      )
      const wire = { trust_domain: trustDomain, x509_authorities: [], jwt_authorities }
      return fromWireBundle({ ...EMPTY_WIRE, ...wire }).jwtAuthorities
    },
    async follow(onRoots, signal) {
      while (!signal.aborted) {
        try {
          await onRoots(await getBundle())
        } catch (error) {
          if (!signal.aborted) onFailure(error)
        }
        await clock.sleep(POLL_MS, signal)
      }
    },
    async [Symbol.asyncDispose]() {
      await renewing
      const last = await opened?.catch(() => undefined)
      await last?.[Symbol.asyncDispose]()
    },
  }
}

const EMPTY_WIRE = { refresh_hint: 0, sequence_number: 0, wit_authorities: [] }

/** @throws IdentityError UNAVAILABLE when the agent gives no SVID in time */
async function connect(
  { host, port, workloadApiSocket, requirePqKem }: SpireUpstreamConfig,
  deps: SpireUpstreamDeps,
): Promise<Connection> {
  const { trustDomain } = deps
  let isRefused = false
  const onFinal = () => {
    isRefused = true
  }
  const source = await openSource(workloadApiSocket, deps, onFinal)
  const authorize = authorizeId(serverId(trustDomain))
  const credentials = grpcCredentials(source, authorize, { requirePqKem })
  const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const options = { 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES }
  const svid = new (svidApi())(target, credentials, options)
  const bundle = new (bundleApi())(target, credentials, options)
  return {
    svid,
    bundle,
    isRefused: () => isRefused,
    async [Symbol.asyncDispose]() {
      svid.close()
      bundle.close()
      await source[Symbol.asyncDispose]()
    },
  }
}

/** @param onFinal told when the agent, having given an SVID, refuses to renew it for good */
async function openSource(
  socket: string,
  { clock, signal, onFailure: report }: Omit<SpireUpstreamDeps, 'trustDomain'>,
  onFinal: () => void,
): Promise<X509Source> {
  const over = new AbortController()
  const settled = new AbortController()
  let last: IdentityError | undefined
  void clock.sleep(DEADLINE_MS, settled.signal).then(() => {
    if (!settled.signal.aborted) over.abort()
  })
  // The deadline must not close the source later: it is only for the opening.
  const waiting = AbortSignal.any([signal, over.signal])
  const onFailure = (error: IdentityError, retryMs: number | undefined) => {
    last = error
    report(error)
    if (retryMs === undefined) onFinal()
  }
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        const options = { socket: `unix://${socket}`, signal: waiting, clock }
        return await openX509Source({ ...options, onFailure })
      } catch (error) {
        if (waiting.aborted) throw error
        await clock.sleep(pauseMs, waiting)
      }
    }
  } catch (error) {
    const why = `the Workload API at ${socket} gave no X509-SVID within ${DEADLINE_MS / 1_000} s: ${reasonOf(last ?? error)}; the upstream server needs a downstream entry for this process`
    throw new IdentityError('UNAVAILABLE', why, { cause: error })
  } finally {
    settled.abort()
  }
}

type Done<T> = (error: ServiceError | null, response?: T) => void
type Start<T> = (on: Connection, done: Done<T>) => ClientUnaryCall

/** @param signal gives the call up, whatever its deadline */
async function unary<T>(on: Connection, start: Start<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const call = start(on, (error, response) => {
    if (error !== null) reject(fromStatus(error))
    else if (response !== undefined) resolve(response)
    else reject(new IdentityError('INTERNAL', 'the answer is empty'))
  })
  const cancel = () => call.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
