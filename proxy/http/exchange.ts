/**
 * The seam between enforcement and the HTTP data path: what a protocol asks for every request, and what it promises.
 * One `HttpHooks` belongs to one client connection, so that whoever makes it already knows the peer and the addresses.
 * Guarantees: no byte of a request goes upstream before `judge` said `forward`; `onExchangeEnd` is called exactly once for each
 * request, also for one whose head was refused.
 */
import type { Allow, Permit, Verdict } from '../../policy/verdict.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Deadlines } from './deadlines.ts'
import type { HttpLimits } from './limits.ts'

export type HttpVersion = 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2'

/**
 * A request as its client sent it; read from the bytes on demand. Valid until `onExchangeEnd` of this request has returned.
 */
export interface RequestHead {
  readonly version: HttpVersion
  readonly method: string
  /** Path with query and fragment as sent, before normalisation: `/a/../b?c`. `*` for OPTIONS *, empty for CONNECT. */
  readonly path: string
  /** `:authority` or `Host` as sent, with its port; empty when HTTP/1.0 has none. */
  readonly authority: string
  /** Is this a gRPC request by its content type? */
  readonly grpc: boolean
  /** The lines of a header, one by one; none when it is missing. `name` is in lower case, pseudo headers included. */
  headerLines(name: string): readonly string[]
  /** All header lines in their order, names in lower case, without pseudo headers. */
  lines(): readonly HeaderLine[]
}

export type HeaderLine = readonly [name: string, value: string]

/** What is changed in a head on its way up. Bodies are never touched. */
export interface HeadEdits {
  /** Replaces the path (a normalised one, with its query); undefined leaves it as it was sent. */
  readonly path: string | undefined
  /** Headers to drop, in lower case. */
  readonly remove: readonly string[]
  /** Lines to add after those that stay; to replace a header, name it in `remove` too. Names in lower case. */
  readonly add: readonly HeaderLine[]
}

export interface LocalAnswer {
  readonly status: number
  /** Without content-length, connection and date: the protocol adds what it needs. */
  readonly headers: readonly HeaderLine[]
  readonly body: string
  /** Why, for the access log alone, in the words of Envoy's response code details: `rbac_access_denied_matched_policy[none]`. */
  readonly details: string
}

/** What enforcement says of one request. */
export type RequestJudgement =
  | { readonly kind: 'forward'; readonly verdict: Allow; readonly edits: HeadEdits | undefined }
  /** gRPC requests get the same as status 200 with the `grpc-status` that belongs to `status`. */
  | {
      readonly kind: 'answer'
      readonly verdict: Verdict | undefined
      readonly answer: LocalAnswer
    }

/** `change`: policy, identity or bundle changed while the exchange goes on; nothing is counted twice for it. */
export type JudgeOccasion = 'request' | 'change'

/** Envoy's response flags, as far as they can occur here. */
export const RESPONSE_FLAGS = ['DC', 'DPE', 'RT', 'UC', 'UF', 'UO', 'UPE', 'UR', 'UT'] as const

export type ResponseFlag = (typeof RESPONSE_FLAGS)[number]

export interface ExchangeRecord {
  /** Undefined when the head could not be understood. */
  readonly head: RequestHead | undefined
  readonly judgement: RequestJudgement | undefined
  /** 0 when the client left, or was cut off, before an answer began. */
  readonly status: number
  /** From the trailers or the head of a gRPC answer. */
  readonly grpcStatus: number | undefined
  /** Of the request's body, framing included. */
  readonly bytesReceived: number
  /** Of the response's body, framing included. */
  readonly bytesSent: number
  readonly startedAt: Date
  readonly durationMs: number
  readonly flags: readonly ResponseFlag[]
  /** `via_upstream`, or why there was another answer or none; never shown to the client. */
  readonly details: string
}

export interface HttpHooks<Pool> {
  /** Asked for each request before a byte of it goes on. A throw is a bug, and the request gets 500: fails closed. */
  judge(head: RequestHead, occasion: JudgeOccasion): RequestJudgement | Promise<RequestJudgement>
  /** Where permitted requests go; connections are taken from this pool and given back to it. */
  upstream(permit: Permit, head: RequestHead): Pool
  onExchangeEnd(record: ExchangeRecord): void
}

/** The same without the pools, of which each protocol has its own. */
export type RequestHooks = Omit<HttpHooks<never>, 'upstream'>

export interface HttpSettings {
  readonly clock: Clock
  /** Shared by all connections of a process; it makes their time-outs happen. */
  readonly deadlines: Deadlines
  readonly limits: HttpLimits
}

/** A client's connection while HTTP is spoken on it. */
export interface HttpConnection {
  /** Ends when nothing is in flight any more: GOAWAY, or `connection: close` with the current response. */
  drain(): void
  /** Ends now, whatever is in flight; `reason` becomes the details of the exchanges that it cuts off. */
  close(reason: string): void
  /** Asks `judge` again for everything in flight; what is now denied gets its answer if none has begun, and is cut off otherwise. */
  rejudge(): void
  /** Requests in flight, upgraded ones included. */
  readonly inFlight: number
  /** Resolves when the connection is over and every record has been given. Never rejects. */
  readonly closed: Promise<void>
}
