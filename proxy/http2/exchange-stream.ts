/**
 * One HTTP/2 exchange, and how it ends: with the upstream's response, with an answer of our own, or by a reset. Each of these
 * reports it exactly once.
 */
import {
  type ClientHttp2Stream,
  constants,
  type Http2Stream,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Deadline } from '../http/deadlines.ts'
import type {
  ExchangeRecord,
  HttpHooks,
  HttpSettings,
  LocalAnswer,
  RequestHead,
  RequestJudgement,
  ResponseFlag,
} from '../http/exchange.ts'
import {
  answerFailure,
  asGrpcAnswer,
  grpcStatusOf,
  type UpstreamFailure,
} from '../http/local-answer.ts'
import type { Http2Pool } from './pool.ts'
import type { RawHeaders } from './request-headers.ts'

/** An exchange in flight. */
export interface Exchange {
  readonly stream: ServerHttp2Stream
  readonly head: RequestHead | undefined
  readonly raw: RawHeaders
  readonly endStream: boolean
  readonly hooks: HttpHooks<Http2Pool>
  readonly settings: HttpSettings
  readonly deadline: Deadline
  readonly startedAt: Date
  readonly onEnd: () => void
  /** Of the request, once they have come. */
  trailers: RawHeaders
  judgement: RequestJudgement | undefined
  upstream: ClientHttp2Stream | undefined
  judging: boolean
  stale: boolean
  responseBegun: boolean
  /** The response is a head and nothing else. */
  headOnly: boolean
  /** The upstream's stream ended as it should. */
  responseDone: boolean
  reported: boolean
  status: number
  grpcStatus: number | undefined
  bytesReceived: number
  bytesSent: number
  flag: ResponseFlag | undefined
  details: string
}

export function failStream(exchange: Exchange, failure: UpstreamFailure): void {
  const { answer, flag } = answerFailure(failure)
  answerStream(exchange, answer, flag)
}

/** Answers in the upstream's place; nothing of a response may have been sent. */
export function answerStream(
  exchange: Exchange,
  answer: LocalAnswer,
  flag: ResponseFlag | undefined,
): void {
  const { stream, head } = exchange
  dropUpstream(exchange)
  const grpc = head?.grpc === true
  const sent = grpc ? asGrpcAnswer(answer) : answer
  if (grpc) exchange.grpcStatus = grpcStatusOf(answer.status)
  const endStream = sent.body === '' || head?.method === 'HEAD'
  exchange.responseBegun = true
  exchange.status = sent.status
  exchange.flag = flag
  exchange.details = answer.details
  exchange.bytesSent = endStream ? 0 : Buffer.byteLength(sent.body)
  const headers = [':status', String(sent.status)]
  for (const [name, value] of sent.headers) headers.push(name, value.replace(/[\r\n\0]/g, ' '))
  if (!grpc) headers.push('content-length', String(Buffer.byteLength(sent.body)))
  report(exchange)
  if (stream.destroyed || stream.closed) return
  stream.respond(headers, { endStream })
  if (!endStream) stream.end(sent.body)
  // RFC 9113 §8.1: the rest of the request is not wanted.
  if (!exchange.endStream && !stream.readableEnded) {
    stream.resume()
    stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
  }
}

/** Resets the stream on both sides. */
export function cutOffStream(
  exchange: Exchange,
  details: string,
  flag: ResponseFlag | undefined,
): void {
  dropUpstream(exchange)
  exchange.details = details
  exchange.flag = flag
  report(exchange)
  resetStream(exchange.stream, details)
}

function dropUpstream(exchange: Exchange): void {
  const { upstream } = exchange
  exchange.upstream = undefined
  if (upstream !== undefined) resetStream(upstream, 'the exchange is over')
}

/**
 * Ends a stream so that its peer knows that something is missing. `close` with a code would first send the end of a body that has
 * none yet, and the peer would take a part for the whole; `destroy` does not, but knows no code beside INTERNAL_ERROR.
 */
export function resetStream(stream: Http2Stream, reason: string): void {
  if (stream.destroyed) return
  if (stream.writableEnded) stream.close(constants.NGHTTP2_CANCEL)
  else stream.destroy(new Error(reason))
}

/** Tells of the exchange, once. */
export function report(exchange: Exchange): void {
  if (exchange.reported) return
  exchange.reported = true
  const { settings, startedAt, flag } = exchange
  settings.deadlines.delete(exchange.deadline)
  const record: ExchangeRecord = {
    head: exchange.head,
    judgement: exchange.judgement,
    status: exchange.status,
    grpcStatus: exchange.grpcStatus,
    bytesReceived: exchange.bytesReceived,
    bytesSent: exchange.bytesSent,
    startedAt,
    durationMs: settings.clock.now().getTime() - startedAt.getTime(),
    flags: flag === undefined ? [] : [flag],
    details: exchange.details,
  }
  exchange.hooks.onExchangeEnd(record)
  exchange.onEnd()
}
