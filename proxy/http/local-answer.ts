/**
 * Answers that the proxy gives itself: denials, refusals, and what is said when the upstream fails, in Envoy's words.
 * A body never says more than Envoy's would; the reason is for the access log.
 * @see https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html for the statuses of gRPC
 */
import { reasonOf } from '../../spiffe/error.ts'
import type { HeaderLine, LocalAnswer, ResponseFlag } from './exchange.ts'

const TEXT: readonly HeaderLine[] = [['content-type', 'text/plain']]

/** @param rule as Envoy writes it, `ns[shop]-policy[cart]-rule[0]`, or undefined when no ALLOW rule matched */
export function rbacDenied(rule: string | undefined): LocalAnswer {
  return {
    status: 403,
    headers: TEXT,
    body: 'RBAC: access denied',
    details: `rbac_access_denied_matched_policy[${rule ?? 'none'}]`,
  }
}

/** Details of an answer that an external provider refused with, in Envoy's word. */
export const EXT_AUTHZ_DENIED = 'ext_authz_denied'

export function textAnswer(status: number, body: string, details: string): LocalAnswer {
  return { status, headers: body === '' ? [] : TEXT, body, details }
}

/** Ways in which no response comes from upstream. */
export type UpstreamFailure =
  /** `explanation` is shown to the client: only what it may know. */
  | {
      readonly kind: 'connect-failed'
      readonly explanation: string | undefined
      readonly cause: unknown
    }
  | { readonly kind: 'connect-timeout' }
  | { readonly kind: 'overflow' }
  | { readonly kind: 'terminated' }
  | { readonly kind: 'remote-reset' }
  | { readonly kind: 'remote-refused' }
  | { readonly kind: 'protocol-error'; readonly reason: string }
  | { readonly kind: 'response-timeout' }
  | { readonly kind: 'idle-timeout' }

export interface FailedExchange {
  readonly answer: LocalAnswer
  readonly flag: ResponseFlag
}

export function answerFailure(failure: UpstreamFailure): FailedExchange {
  switch (failure.kind) {
    case 'connect-failed': {
      const more =
        failure.explanation === undefined
          ? ''
          : `, transport failure reason: ${failure.explanation}`
      return because(reset(503, 'UF', 'remote connection failure', more), reasonOf(failure.cause))
    }
    case 'connect-timeout':
      return reset(503, 'UF', 'connection timeout')
    case 'overflow':
      return reset(503, 'UO', 'overflow')
    case 'terminated':
      return reset(503, 'UC', 'connection termination')
    case 'remote-reset':
      return reset(503, 'UR', 'remote reset')
    case 'remote-refused':
      return reset(503, 'UR', 'remote refused stream reset')
    case 'protocol-error':
      return because(reset(502, 'UPE', 'protocol error'), failure.reason)
    case 'response-timeout':
      return {
        answer: textAnswer(504, 'upstream request timeout', 'response_timeout'),
        flag: 'UT',
      }
    case 'idle-timeout':
      return { answer: textAnswer(504, 'stream timeout', 'stream_idle_timeout'), flag: 'UT' }
    default:
      return failure satisfies never
  }
}

function reset(status: number, flag: ResponseFlag, reason: string, more = ''): FailedExchange {
  const body = `upstream connect error or disconnect/reset before headers. reset reason: ${reason}${more}`
  const details = `upstream_reset_before_response_started{${reason.replaceAll(' ', '_')}}`
  return { answer: textAnswer(status, body, details), flag }
}

/** With what operators need and clients must not have. */
function because({ answer, flag }: FailedExchange, why: string): FailedExchange {
  return { answer: { ...answer, details: `${answer.details}: ${why}` }, flag }
}

/** Why a connection could not be made, as far as its client may know; addresses are not among that. */
export function connectFailure(cause: unknown): UpstreamFailure {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : ''
  const explanation =
    code === 'ECONNREFUSED' ? 'delayed connect error: Connection refused' : undefined
  return { kind: 'connect-failed', explanation, cause }
}

/** gRPC statuses by HTTP status; anything else is UNKNOWN. */
const GRPC_STATUS: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
}
const UNKNOWN = 2

export function grpcStatusOf(status: number): number {
  return GRPC_STATUS[status] ?? UNKNOWN
}

/** The same answer for a gRPC client: status 200, nothing but a head, the text percent-encoded. */
export function asGrpcAnswer(answer: LocalAnswer): LocalAnswer {
  const kept = answer.headers.filter(([name]) => name !== 'content-type')
  const headers: HeaderLine[] = [
    ['content-type', 'application/grpc'],
    ['grpc-status', String(grpcStatusOf(answer.status))],
  ]
  if (answer.body !== '') headers.push(['grpc-message', grpcMessage(answer.body)])
  return { status: 200, headers: [...headers, ...kept], body: '', details: answer.details }
}

/** Percent-encodes what gRPC's wire format does: all but visible ASCII and space, and `%`. */
function grpcMessage(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}
