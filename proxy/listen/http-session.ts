/**
 * A connection that carries HTTP, from its first bytes to its end: which version it speaks, who judges its requests, where
 * they go, and what is told of them. The protocols themselves are in `http1/` and `http2/`.
 */
import { TLSSocket } from 'node:tls'
import { type Address, showAddress } from '../../config/address.ts'
import type { LiveConnection } from '../enforce/connections.ts'
import type {
  HttpConnection,
  JudgeOccasion,
  RequestHead,
  RequestHooks,
  RequestJudgement,
} from '../http/exchange.ts'
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../http/limits.ts'
import { type Http1Pool, openHttp1Pool, type PoolOptions } from '../http1/pool.ts'
import { serveHttp1 } from '../http1/serve-http1.ts'
import { type Http2Pool, openHttp2Pool } from '../http2/pool.ts'
import { serveHttp2 } from '../http2/serve-http2.ts'
import type { ProxyContext } from '../proxy.ts'
import { requestLine } from '../telemetry/access-lines.ts'
import { traceRequests } from '../tracing/trace-requests.ts'
import type { Incoming } from './incoming.ts'
import { lookAtAdmitted } from './look-at-admitted.ts'
import type { ServeHttp } from './serve-http.ts'

/** Of one listener: where its requests go. */
export interface HttpRoute {
  readonly http1: PoolOptions['connect']
  readonly http2: PoolOptions['connect']
  readonly upstream: Address
  /** Of one connection. */
  judgeOf(
    incoming: Incoming,
  ): (head: RequestHead, occasion: JudgeOccasion) => RequestJudgement | Promise<RequestJudgement>
}

export interface HttpListener extends Disposable {
  readonly serve: ServeHttp
}

const HTTP2_ALPN: ReadonlySet<string> = new Set(['h2', 'istio-h2'])

interface Session {
  readonly context: ProxyContext
  readonly route: HttpRoute
  readonly limits: HttpLimits
  readonly pools: { readonly http1: Http1Pool; readonly http2: Http2Pool }
}

/** Pools are kept for each listener; disposing closes what is idle in them. */
export function createHttpListener(context: ProxyContext, route: HttpRoute): HttpListener {
  const { deadlines, connectTimeoutMs } = context
  const limits = { ...DEFAULT_HTTP_LIMITS, connectTimeoutMs }
  const pools = {
    http1: openHttp1Pool({ connect: route.http1, deadlines, limits }),
    http2: openHttp2Pool({ connect: route.http2, deadlines, limits }),
  }
  const session: Session = { context, route, limits, pools }
  return {
    serve: (incoming, stillAdmits) => begin(session, incoming, stillAdmits),
    [Symbol.dispose]() {
      pools.http1.close()
      pools.http2.close()
    },
  }
}

function begin(session: Session, incoming: Incoming, stillAdmits: () => string | undefined): void {
  const { stream } = incoming
  const agreed = stream instanceof TLSSocket ? stream.alpnProtocol : undefined
  if (typeof agreed === 'string' && HTTP2_ALPN.has(agreed)) {
    serve(session, incoming, stillAdmits, 'http2')
    return
  }
  // What is neither is for the HTTP/1 parser to refuse, in its own words.
  lookAtAdmitted(session.context, incoming, stillAdmits, (kind) =>
    serve(session, incoming, stillAdmits, kind === 'http2' ? 'http2' : 'http1'),
  )
}

function serve(
  session: Session,
  incoming: Incoming,
  stillAdmits: () => string | undefined,
  version: 'http1' | 'http2',
): void {
  const { context, limits, pools } = session
  const { connections, clock, deadlines } = context
  const { stream } = incoming
  const settings = { clock, deadlines, limits }
  let http: HttpConnection | undefined
  const live: LiveConnection = {
    ...{ direction: incoming.direction, listener: incoming.listener, protocol: 'http' },
    ...{ source: incoming.source, destination: incoming.destination, peer: incoming.peer },
    openedAt: incoming.openedAt,
    rejudge() {
      const reason = stillAdmits()
      if (reason === undefined) http?.rejudge()
      return reason === undefined ? undefined : `policy change: ${reason}`
    },
    drain: () => http?.drain(),
    close: (reason) => http?.close(reason),
    report: () => undefined, // HTTP has time-outs of its own
  }
  const leave = connections.add(live)
  const hooks = hooksOf(session, incoming)
  http =
    version === 'http1'
      ? serveHttp1(stream, { ...hooks, upstream: () => pools.http1 }, settings)
      : serveHttp2(stream, { ...hooks, upstream: () => pools.http2 }, settings)
  if (version === 'http1' && stream.isPaused()) stream.resume() // it was paused to be looked at
  void http.closed.then(leave)
}

function hooksOf({ context, route }: Session, incoming: Incoming): RequestHooks {
  const meter = context.metrics.http(incoming.parties)
  const judge = route.judgeOf(incoming)
  const upstream = showAddress(route.upstream)
  const hooks: RequestHooks = {
    judge,
    onExchangeEnd(record) {
      meter.count({
        status: record.status,
        grpcStatus: record.grpcStatus,
        flags: record.flags.join(',') || '-',
        isGrpc: record.head?.grpc === true,
        durationMs: record.durationMs,
        requestBytes: record.bytesReceived,
        responseBytes: record.bytesSent,
      })
      requestLine(context, incoming, record, upstream)
    },
  }
  const { tracing } = context
  if (tracing === undefined) return hooks
  return traceRequests(tracing, { incoming, upstream: route.upstream }, hooks)
}
