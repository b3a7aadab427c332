/**
 * A client connection that speaks HTTP/2 from its first byte (by ALPN or prior knowledge): its streams are judged, forwarded and
 * answered each on its own. nghttp2, inside of Node, reads the frames; the bounds that it keeps for us are set here.
 * Bounds: streams, header lines and bytes, resets per second, bytes ahead of each stream and of the connection.
 */
import { constants, performServerHandshake, type ServerHttp2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { HttpConnection, HttpHooks, HttpSettings } from '../http/exchange.ts'
import { textAnswer } from '../http/local-answer.ts'
import { endWithPeer } from './end-with-peer.ts'
import { answerStream, cutOffStream, type Exchange, failStream, report } from './exchange-stream.ts'
import { judgeStream, rejudgeStream } from './judge-stream.ts'
import type { Http2Pool } from './pool.ts'
import { followTrailers } from './relay-streams.ts'
import { type ReadRequest, readRequest } from './request-headers.ts'

/** Bytes that a client may send ahead on one stream, and on all of a connection together. */
const STREAM_WINDOW_BYTES = 256 * 1024
const CONNECTION_WINDOW_BYTES = 1024 * 1024
/** Frames that make no sense and streams beyond the bound, before the connection is closed. */
const MAX_INVALID_FRAMES = 100
const MAX_REJECTED_STREAMS = 100
/** END_STREAM. @see RFC 9113 §6.2 */
const END_STREAM = 1

export function serveHttp2(
  socket: Duplex,
  hooks: HttpHooks<Http2Pool>,
  settings: HttpSettings,
): HttpConnection {
  const { limits, deadlines } = settings
  const exchanges = new Set<Exchange>()
  endWithPeer(socket)
  const session = performServerHandshake(socket, {
    strictSingleValueFields: false,
    // Pseudo headers count too.
    maxHeaderListPairs: limits.headers + 4,
    maxSessionInvalidFrames: MAX_INVALID_FRAMES,
    maxSessionRejectedStreams: MAX_REJECTED_STREAMS,
    streamResetBurst: limits.resetBurst,
    streamResetRate: limits.resetsPerSecond,
    settings: {
      maxConcurrentStreams: limits.concurrentStreams,
      maxHeaderListSize: limits.headBytes,
      initialWindowSize: STREAM_WINDOW_BYTES,
      enableConnectProtocol: false,
    },
  })
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
  const idle = deadlines.add(() => session.close())
  deadlines.set(idle, limits.headTimeoutMs)
  session.on('stream', (stream, _headers, flags, raw) => {
    deadlines.clear(idle)
    const read = readRequest(raw)
    const head = read.kind === 'request' ? read.head : undefined
    const endStream = (flags & END_STREAM) !== 0
    const request = { stream, head, raw, endStream, hooks, settings }
    const exchange = newExchange(request, () => {
      exchanges.delete(exchange)
      if (exchanges.size === 0) deadlines.set(idle, limits.idleMs)
    })
    exchanges.add(exchange)
    begin(exchange, read)
  })
  session.once('remoteSettings', () => {
    if (exchanges.size === 0) deadlines.set(idle, limits.idleMs)
  })
  return connectionOf(session, socket, exchanges, () => deadlines.delete(idle))
}

function newExchange(
  request: Pick<Exchange, 'stream' | 'head' | 'raw' | 'endStream' | 'hooks' | 'settings'>,
  onEnd: () => void,
): Exchange {
  const { clock, deadlines } = request.settings
  const exchange: Exchange = {
    ...request,
    deadline: deadlines.add(() => onDue(exchange)),
    startedAt: clock.now(),
    onEnd,
    trailers: [],
    judgement: undefined,
    upstream: undefined,
    judging: false,
    stale: false,
    responseBegun: false,
    headOnly: false,
    responseDone: false,
    reported: false,
    status: 0,
    grpcStatus: undefined,
    bytesReceived: 0,
    bytesSent: 0,
    flag: undefined,
    details: 'via_upstream',
  }
  return exchange
}

function begin(exchange: Exchange, read: ReadRequest): void {
  const { stream } = exchange
  followTrailers(exchange)
  // What follows from an error is done on close.
  stream.on('error', () => {})
  stream.once('close', () => {
    if (exchange.reported) return
    if (exchange.responseDone && stream.rstCode === constants.NGHTTP2_NO_ERROR) report(exchange)
    else cutOffStream(exchange, 'downstream_remote_disconnect', 'DC')
  })
  if (read.kind === 'refused') {
    const details = `http2.head_refused: ${read.reason}`
    answerStream(exchange, textAnswer(read.status, '', details), 'DPE')
    return
  }
  if (exchange.head !== undefined) judgeStream(exchange, exchange.head)
}

function onDue(exchange: Exchange): void {
  if (exchange.responseBegun) cutOffStream(exchange, 'stream_idle_timeout', 'UT')
  else {
    const limited = exchange.settings.limits.responseTimeoutMs > 0
    failStream(exchange, { kind: limited ? 'response-timeout' : 'idle-timeout' })
  }
}

function connectionOf(
  session: ServerHttp2Session,
  socket: Duplex,
  exchanges: Set<Exchange>,
  onClosed: () => void,
): HttpConnection {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  // The reason of a reset; what follows from it is done on close.
  session.on('error', () => {})
  session.once('close', () => {
    for (const exchange of exchanges) {
      cutOffStream(exchange, 'downstream_remote_disconnect', 'DC')
    }
    onClosed()
    socket.destroy()
    resolve()
  })
  return {
    drain: () => session.close(),
    close(reason) {
      for (const exchange of exchanges) cutOffStream(exchange, reason, undefined)
      session.goaway(constants.NGHTTP2_NO_ERROR)
      session.destroy()
    },
    rejudge() {
      for (const exchange of exchanges) rejudgeStream(exchange)
    },
    get inFlight() {
      return exchanges.size
    },
    closed,
  }
}
