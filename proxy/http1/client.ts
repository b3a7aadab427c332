/**
 * What is known of one HTTP/1 client connection and of the exchange on it. There is one exchange at a time: requests that a client
 * sends ahead wait in its socket.
 */
import type { Duplex } from 'node:stream'
import type { Permit } from '../../policy/verdict.ts'
import type { Deadline } from '../http/deadlines.ts'
import type {
  HeadEdits,
  HttpHooks,
  HttpSettings,
  RequestHead,
  RequestJudgement,
  ResponseFlag,
} from '../http/exchange.ts'
import { type Body, newBody } from './body.ts'
import type { Http1Pool, UpstreamConnection } from './pool.ts'
import { newRequestHead, type RequestBytes } from './request-head.ts'
import { requestView } from './request-view.ts'
import { newResponseHead, type ResponseBytes } from './response-head.ts'

export type Phase =
  /** Between requests. */
  | 'idle'
  /** A head has begun. */
  | 'head'
  | 'judging'
  | 'connecting'
  | 'relaying'
  /** After an upgrade or CONNECT: bytes both ways. */
  | 'tunnel'
  /** The last answer is on its way out; what still comes in is thrown away, up to a bound. */
  | 'lingering'
  | 'over'

export interface Exchange {
  /** False for a head that could not be understood. */
  readonly understood: boolean
  readonly startedAt: Date
  judgement: RequestJudgement | undefined
  permit: Permit | undefined
  edits: HeadEdits | undefined
  pool: Http1Pool | undefined
  upstream: UpstreamConnection | undefined
  upgrading: boolean
  /** The request's last byte has come. */
  requestDone: boolean
  responseBegun: boolean
  responseDone: boolean
  /** The client connection ends with this exchange. */
  closeAfter: boolean
  /** The upstream connection cannot serve another exchange. */
  spent: boolean
  /** It was sent a second time, because a kept connection was gone. */
  retried: boolean
  /** Policy changed while it was being judged. */
  stale: boolean
  interims: number
  status: number
  /** Of an answer of our own to a gRPC request. */
  grpcStatus: number | undefined
  bytesReceived: number
  bytesSent: number
  flag: ResponseFlag | undefined
  details: string
}

export interface Http1Client {
  readonly socket: Duplex
  readonly hooks: HttpHooks<Http1Pool>
  readonly settings: HttpSettings
  readonly head: RequestBytes
  readonly view: RequestHead
  readonly requestBody: Body
  readonly responseHead: ResponseBytes
  readonly responseBody: Body
  readonly deadline: Deadline
  /** Goes on with what is held, after an exchange ended. */
  readonly next: () => void
  phase: Phase
  exchange: Exchange | undefined
  /** Bytes that came before they could be used; the socket is paused meanwhile, so there is one chunk at most. */
  held: Buffer | undefined
  draining: boolean
  /** The client sent its last byte. */
  ended: boolean
  lingered: number
}

export function newClient(
  socket: Duplex,
  hooks: HttpHooks<Http1Pool>,
  settings: HttpSettings,
  on: { readonly due: () => void; readonly next: () => void },
): Http1Client {
  const { limits, deadlines } = settings
  const head = newRequestHead(limits)
  return {
    socket,
    hooks,
    settings,
    head,
    view: requestView(head),
    requestBody: newBody(limits, true),
    responseHead: newResponseHead(limits),
    responseBody: newBody(limits, false),
    deadline: deadlines.add(on.due),
    next: on.next,
    phase: 'idle',
    exchange: undefined,
    held: undefined,
    draining: false,
    ended: false,
    lingered: 0,
  }
}

export function newExchange(understood: boolean, startedAt: Date): Exchange {
  return {
    understood,
    startedAt,
    judgement: undefined,
    permit: undefined,
    edits: undefined,
    pool: undefined,
    upstream: undefined,
    upgrading: false,
    requestDone: false,
    responseBegun: false,
    responseDone: false,
    closeAfter: false,
    spent: false,
    retried: false,
    stale: false,
    interims: 0,
    status: 0,
    grpcStatus: undefined,
    bytesReceived: 0,
    bytesSent: 0,
    flag: undefined,
    details: 'via_upstream',
  }
}

/** Keeps bytes for later and stops the client from sending more. */
export function holdBack(client: Http1Client, bytes: Buffer): void {
  client.held = client.held === undefined ? bytes : Buffer.concat([client.held, bytes])
  client.socket.pause()
}

export function setDeadline({ settings, deadline }: Http1Client, afterMs: number): void {
  settings.deadlines.set(deadline, afterMs)
}
