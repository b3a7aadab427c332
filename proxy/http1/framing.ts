/**
 * How the body of a message ends, which nothing but its head decides; a response's also the request's method.
 * @see RFC 9112 §6.3 message body length
 */
import type { RequestFields } from './request-head.ts'
import type { ResponseFields } from './response-head.ts'

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** Responses alone. */
  | { readonly kind: 'until-close' }

const NONE: Framing = { kind: 'none' }
const CHUNKED: Framing = { kind: 'chunked' }
const UNTIL_CLOSE: Framing = { kind: 'until-close' }

export function requestFraming({ chunked, contentLength }: RequestFields): Framing {
  if (chunked) return CHUNKED
  return contentLength > 0 ? { kind: 'length', bytes: contentLength } : NONE
}

/** What follows the head of a response. */
export type ResponseTurn =
  /** 1xx: another head follows. */
  | { readonly kind: 'interim' }
  /** 101, or 2xx to CONNECT: whatever follows is no HTTP. */
  | { readonly kind: 'tunnel' }
  | { readonly kind: 'body'; readonly framing: Framing }
  | { readonly kind: 'refused'; readonly reason: string }

const INTERIM: ResponseTurn = { kind: 'interim' }
const TUNNEL: ResponseTurn = { kind: 'tunnel' }
const EMPTY: ResponseTurn = { kind: 'body', framing: NONE }
const IN_CHUNKS: ResponseTurn = { kind: 'body', framing: CHUNKED }
const TO_THE_END: ResponseTurn = { kind: 'body', framing: UNTIL_CLOSE }

/** @param upgrading the request that went upstream asked for another protocol */
export function responseTurn(
  method: string,
  upgrading: boolean,
  response: ResponseFields,
): ResponseTurn {
  const { status, chunked, contentLength } = response
  if (status === 101) {
    // Fails closed: what follows an answer that nobody asked for is not passed on unread.
    return upgrading
      ? TUNNEL
      : { kind: 'refused', reason: 'status 101 without a request to upgrade' }
  }
  if (status < 200) return INTERIM
  if (method === 'CONNECT' && status < 300) return TUNNEL
  if (method === 'HEAD' || status === 204 || status === 304) return EMPTY
  if (chunked) return IN_CHUNKS
  if (contentLength === 0) return EMPTY
  return contentLength > 0
    ? { kind: 'body', framing: { kind: 'length', bytes: contentLength } }
    : TO_THE_END
}
