/**
 * The two directions of one exchange between a client's stream and an upstream's: heads, data with backpressure, trailers, resets.
 * A response that ends without its end is reset, so that no client takes a part for the whole.
 */

import type { OutgoingHttpHeaders } from 'node:http'
import { type ClientHttp2Stream, constants, type Http2Stream } from 'node:http2'
import { textAnswer } from '../http/local-answer.ts'
import { isForbiddenInTrailer } from '../http/reserved-names.ts'
import { answerStream, cutOffStream, type Exchange, failStream } from './exchange-stream.ts'
import { asObject, linesOf, type RawHeaders } from './request-headers.ts'

/** END_STREAM. @see RFC 9113 §6.2 */
const END_STREAM = 1

/** 1xx responses before the real one, as in HTTP/1. */
const MAX_INTERIM_RESPONSES = 16

function touch({ settings, deadline }: Exchange): void {
  settings.deadlines.set(deadline, settings.limits.streamIdleMs)
}

/** Data with backpressure: what the receiver does not take stays in the sender's window. */
function passData(from: Http2Stream, to: Http2Stream, onBytes: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    onBytes(chunk.length)
    if (!to.destroyed && !to.writableEnded && !to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
}

/** To be called at once: trailers may come before there is an upstream. */
export function followTrailers(exchange: Exchange): void {
  exchange.stream.on('trailers', (_headers, _flags, raw: string[]) => {
    exchange.trailers = raw
    const forbidden = raw.find((name, at) => at % 2 === 0 && isForbiddenInTrailer(name, true))
    if (forbidden !== undefined && !exchange.reported) refuseTrailer(exchange, forbidden)
  })
}

export function relayRequest(exchange: Exchange, upstream: ClientHttp2Stream): void {
  const { stream } = exchange
  passData(stream, upstream, (bytes) => {
    exchange.bytesReceived += bytes
    touch(exchange)
  })
  stream.on('end', () => {
    if (!upstream.destroyed && !exchange.reported) upstream.end()
  })
  upstream.on('wantTrailers', () => upstream.sendTrailers(asObject(exchange.trailers)))
}

/** The upstream has the body and will never get its end. */
function refuseTrailer(exchange: Exchange, name: string): void {
  const details = `http2.trailer_refused: the header ${name} stands in a trailer`
  if (exchange.responseBegun) cutOffStream(exchange, details, 'DPE')
  else answerStream(exchange, textAnswer(400, '', details), 'DPE')
}

export function relayResponse(exchange: Exchange, upstream: ClientHttp2Stream): void {
  const { stream } = exchange
  let trailers: RawHeaders = []
  let interims = 0
  const passInterim = (headers: OutgoingHttpHeaders) => {
    interims += 1
    if (!isOpen(exchange)) return
    if (interims <= MAX_INTERIM_RESPONSES) stream.additionalHeaders(headers)
    else failStream(exchange, { kind: 'protocol-error', reason: 'too many 1xx responses' })
  }
  upstream.on('continue', () => passInterim({ ':status': 100 }))
  upstream.on('headers', passInterim)
  upstream.on('response', (_headers, flags, raw: string[]) => {
    if (!isOpen(exchange)) return
    beginResponse(exchange, raw, (flags & END_STREAM) !== 0)
    touch(exchange)
  })
  upstream.on('trailers', (_headers, _flags, raw: string[]) => {
    trailers = raw
    exchange.grpcStatus = grpcStatusIn(raw) ?? exchange.grpcStatus
  })
  stream.on('wantTrailers', () => {
    stream.sendTrailers(asObject(trailers))
    endEarly(exchange)
  })
  passData(upstream, stream, (bytes) => {
    exchange.bytesSent += bytes
    touch(exchange)
  })
  upstream.on('end', () => {
    const ended = stream.destroyed || stream.writableEnded
    if (exchange.responseBegun && upstream.rstCode === 0 && !ended) stream.end()
  })
  upstream.on('error', () => {})
  upstream.once('close', () => endUpstream(exchange, upstream))
}

function isOpen({ stream, responseBegun }: Exchange): boolean {
  return !responseBegun && !stream.destroyed && !stream.closed
}

function beginResponse(exchange: Exchange, raw: RawHeaders, endStream: boolean): void {
  const { stream } = exchange
  try {
    stream.respond(raw, { endStream, waitForTrailers: !endStream })
  } catch (error) {
    const reason = error instanceof Error ? error.message : ''
    failStream(exchange, { kind: 'protocol-error', reason })
    return
  }
  exchange.responseBegun = true
  exchange.headOnly = endStream
  exchange.status = Number(linesOf(raw, ':status')[0] ?? 0)
  exchange.grpcStatus = grpcStatusIn(raw)
}

function grpcStatusIn(raw: RawHeaders): number | undefined {
  const text = linesOf(raw, 'grpc-status')[0]
  return text === undefined ? undefined : Number(text)
}

/** The upstream's stream is over: with its end, or by a reset. */
function endUpstream(exchange: Exchange, upstream: ClientHttp2Stream): void {
  if (exchange.reported) return
  const code = upstream.rstCode
  const complete = upstream.readableEnded && code === constants.NGHTTP2_NO_ERROR
  exchange.upstream = undefined
  if (exchange.responseBegun && complete) {
    exchange.responseDone = true
    if (exchange.stream.sentTrailers !== undefined || exchange.headOnly) endEarly(exchange)
  } else if (exchange.responseBegun) {
    cutOffStream(exchange, 'upstream_reset_after_response_started{remote_reset}', 'UR')
  } else if (code === constants.NGHTTP2_REFUSED_STREAM) {
    failStream(exchange, { kind: 'remote-refused' })
  } else if (code === constants.NGHTTP2_PROTOCOL_ERROR) {
    failStream(exchange, { kind: 'protocol-error', reason: 'the stream was reset' })
  } else if (upstream.session === undefined || upstream.session.destroyed) {
    failStream(exchange, { kind: 'terminated' })
  } else failStream(exchange, { kind: 'remote-reset' })
}

/**
 * RFC 9113 §8.1: an answer came before the request's end, and nobody wants the rest. nghttp2 drops what it has not sent of a
 * stream that is reset, so the trailers go out first; where they cannot yet, the client may end its request, or its time ends it.
 */
function endEarly(exchange: Exchange): void {
  const { stream } = exchange
  if (!isEarly(exchange)) return
  setImmediate(() => {
    if (isEarly(exchange) && stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR)
  })
}

function isEarly({ stream, responseDone, endStream }: Exchange): boolean {
  return responseDone && !endStream && !stream.readableEnded && !stream.destroyed
}
