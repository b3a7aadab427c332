/**
 * A tunnel to a port of a workload whose proxy speaks HBONE: a stream of bytes like a socket, once the other end has agreed.
 *
 * @see HBONE — request, headers
 */
import { constants, type IncomingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import { IdentityError } from '../../spiffe/error.ts'
import type { Party } from '../telemetry/parties.ts'
import type { TraceIds } from '../tracing/trace-ids.ts'
import { writeTraceparent } from '../tracing/traceparent.ts'
import { baggageOf, forwardedFor } from './peer-headers.ts'
import type { HbonePeer, HbonePool } from './pool.ts'
import { tellCuts } from './tell-cuts.ts'

export interface TunnelOptions {
  readonly pool: HbonePool
  readonly peer: HbonePeer
  /** What the other end is asked for, `ip:port`. */
  readonly authority: string
  /** `ip:port` of whoever connected to us, where it is one. */
  readonly client: string | undefined
  readonly service: string | undefined
  readonly self: Party
  readonly traceIds: TraceIds
}

type Attempt =
  | { readonly kind: 'open'; readonly stream: Duplex }
  /** The tunnel has carried nothing, so that it may be asked for again; `what` became of this one. */
  | { readonly kind: 'unprocessed'; readonly what: string }

/**
 * One that is going away refuses what it has not begun with; another connection may take it. So may it where the connection
 * itself went, be it that its peer is not believed any more: a newer certificate may be.
 */
const MAX_ATTEMPTS = 2

/** @throws IdentityError as the pool; UNAVAILABLE with what the other end answered, CANCELED */
export async function openTunnel(options: TunnelOptions, signal: AbortSignal): Promise<Duplex> {
  for (let attempt = 1; ; attempt += 1) {
    const tried = await tryTunnel(options, signal)
    if (tried.kind === 'open') return tried.stream
    if (attempt === MAX_ATTEMPTS) throw refused(options.authority, tried.what)
  }
}

async function tryTunnel(options: TunnelOptions, signal: AbortSignal): Promise<Attempt> {
  const { pool, peer, authority } = options
  const stream = await pool.open(peer, headersOf(options))
  const { session } = stream
  const { promise, resolve, reject } = Promise.withResolvers<Attempt>()
  const canceled = () => reject(new IdentityError('CANCELED', 'the tunnel is not wanted any more'))
  const closed = () => {
    const again = (what: string) => resolve({ kind: 'unprocessed', what })
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) again('takes no more tunnels')
    else if (session === undefined || session.destroyed) again('lost the connection unanswered')
    else reject(refused(authority, 'has closed it before an answer'))
  }
  stream.on('error', () => {}) // told by its close
  stream.once('close', closed)
  stream.once('response', (headers: IncomingHttpHeaders) => {
    const status = Number(headers[':status'])
    if (status === 200) resolve({ kind: 'open', stream })
    else reject(refused(authority, `answered ${status}${meaningOf(status)}`))
  })
  signal.addEventListener('abort', canceled, { once: true })
  if (signal.aborted) canceled()
  try {
    const tried = await promise
    if (tried.kind === 'open') tellCuts(stream)
    return tried
  } catch (error) {
    stream.close(constants.NGHTTP2_CANCEL)
    throw error
  } finally {
    stream.off('close', closed)
    signal.removeEventListener('abort', canceled)
  }
}

function headersOf({ authority, client, service, self, traceIds }: TunnelOptions): string[] {
  const baggage = baggageOf(self)
  // A trace of this connection alone; not kept.
  const trace = { traceId: traceIds.traceId(), spanId: traceIds.spanId() }
  return [
    ...[':method', 'CONNECT', ':authority', authority],
    ...(client === undefined ? [] : ['forwarded', forwardedFor(client, service)]),
    ...(baggage === '' ? [] : ['baggage', baggage]),
    ...['traceparent', writeTraceparent(trace, false)],
  ]
}

const refused = (authority: string, what: string): IdentityError =>
  new IdentityError('UNAVAILABLE', `the proxy of ${authority} ${what}`)

function meaningOf(status: number): string {
  switch (status) {
    case 400:
      return ': it serves no such address'
    case 401:
      return ': its policy denies us'
    case 503:
      return ': its workload cannot be reached'
    default:
      return ', expected 200'
  }
}
