/**
 * The one place where errors become gRPC statuses and back. A code without a row does not compile.
 * Anything that is not an `IdentityError` is a bug: the log gets all of it, the caller nothing.
 */
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js'
import { type ErrorCode, IdentityError } from '../spiffe/error.ts'
import {
  decodeStatusDetails,
  encodeErrorInfo,
  encodeStatusDetails,
  type Reason,
} from './status-details.ts'

const STATUS_OF = {
  SPIFFE_ID_INVALID: status.INVALID_ARGUMENT,
  TRUST_DOMAIN_INVALID: status.INVALID_ARGUMENT,
  SELECTOR_INVALID: status.INVALID_ARGUMENT,
  ENTRY_INVALID: status.INVALID_ARGUMENT,
  BUNDLE_MALFORMED: status.INVALID_ARGUMENT,
  CERTIFICATE_MALFORMED: status.INVALID_ARGUMENT,
  CSR_INVALID: status.INVALID_ARGUMENT,
  JWT_SVID_INVALID: status.INVALID_ARGUMENT,
  REQUEST_INVALID: status.INVALID_ARGUMENT,
  CONFIG_INVALID: status.INVALID_ARGUMENT,
  CALLER_HEADER_MISSING: status.INVALID_ARGUMENT, // Workload-Endpoint §4
  CERTIFICATE_UNTRUSTED: status.UNAUTHENTICATED,
  CALLER_UNIDENTIFIED: status.UNAUTHENTICATED,
  ATTESTATION_FAILED: status.UNAVAILABLE, // must not read as "no identity"
  NO_IDENTITY_ISSUED: status.PERMISSION_DENIED, // Workload-Endpoint §6
  NOT_AUTHORIZED: status.PERMISSION_DENIED,
  AGENT_EXPIRED: status.PERMISSION_DENIED,
  AGENT_NOT_ATTESTED: status.PERMISSION_DENIED,
  AGENT_NOT_ACTIVE: status.PERMISSION_DENIED,
  AGENT_BANNED: status.PERMISSION_DENIED,
  AGENT_MUST_REATTEST: status.PERMISSION_DENIED,
  WORKLOAD_REFERENCE_INVALID: status.INVALID_ARGUMENT, // Broker-API §4.8
  WORKLOAD_NOT_FOUND: status.NOT_FOUND,
  WORKLOAD_NOT_ENTITLED: status.PERMISSION_DENIED,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  PRECONDITION_FAILED: status.FAILED_PRECONDITION,
  UNAVAILABLE: status.UNAVAILABLE, // Workload-Endpoint §6
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  NOT_IMPLEMENTED: status.UNIMPLEMENTED,
  CANCELED: status.CANCELLED,
  INTERNAL: status.INTERNAL,
} satisfies Record<ErrorCode, status>

/** Agents recover by this detail; without it they retry for ever (apis.md §3). */
const REASON_OF: Partial<Record<ErrorCode, Reason>> = {
  AGENT_EXPIRED: 'AGENT_EXPIRED',
  AGENT_NOT_ATTESTED: 'AGENT_NOT_ATTESTED',
  AGENT_NOT_ACTIVE: 'AGENT_NOT_ACTIVE',
  AGENT_BANNED: 'AGENT_BANNED',
  AGENT_MUST_REATTEST: 'AGENT_MUST_REATTEST',
}

/** Codes that a broker reads as google.rpc.ErrorInfo, each under its own name (Broker-API §4.8). */
const HAS_ERROR_INFO: ReadonlySet<ErrorCode> = new Set([
  'WORKLOAD_REFERENCE_INVALID',
  'WORKLOAD_NOT_FOUND',
  'WORKLOAD_NOT_ENTITLED',
])

const DETAILS_KEY = 'grpc-status-details-bin'

export function toStatus(error: unknown): StatusObject {
  const metadata = new Metadata()
  if (!(error instanceof IdentityError)) {
    return { code: status.INTERNAL, details: 'internal error', metadata }
  }
  const code = STATUS_OF[error.code]
  const reason = REASON_OF[error.code]
  if (reason !== undefined) {
    metadata.set(DETAILS_KEY, encodeStatusDetails(code, error.message, reason))
  }
  if (HAS_ERROR_INFO.has(error.code)) {
    metadata.set(DETAILS_KEY, encodeErrorInfo(code, error.message, error.code))
  }
  return { code, details: error.message, metadata }
}

/** The google.rpc.Code of an error, for the per-item status of batch calls. */
export function toItemStatus(error: unknown): { code: number; message: string } {
  const { code, details } = toStatus(error)
  return { code, message: details }
}

export const ITEM_OK = { code: status.OK, message: 'OK' } as const

/** What a call that failed at a server means here. Errors that did not come from gRPC are passed through. */
export function fromStatus(error: unknown): unknown {
  if (!isServiceError(error)) return error
  return new IdentityError(codeOf(error), error.details, { cause: error })
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error
}

/** @returns the gRPC status number of anything thrown by a call, UNKNOWN when it has none */
export function statusCodeOf(error: unknown): status {
  const cause = error instanceof IdentityError ? error.cause : error
  if (isServiceError(cause)) return cause.code
  return error instanceof IdentityError ? STATUS_OF[error.code] : status.UNKNOWN
}

function codeOf(error: ServiceError): ErrorCode {
  const reason = decodeStatusDetails(error.metadata.get(DETAILS_KEY)[0])
  if (error.code === status.PERMISSION_DENIED && reason !== undefined && reason !== 'UNKNOWN') {
    return reason
  }
  return CODE_OF[error.code] ?? 'INTERNAL'
}

const CODE_OF: Partial<Record<status, ErrorCode>> = {
  [status.CANCELLED]: 'CANCELED',
  [status.INVALID_ARGUMENT]: 'REQUEST_INVALID',
  [status.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.ALREADY_EXISTS]: 'ALREADY_EXISTS',
  [status.PERMISSION_DENIED]: 'NOT_AUTHORIZED',
  [status.RESOURCE_EXHAUSTED]: 'RATE_LIMITED',
  [status.FAILED_PRECONDITION]: 'PRECONDITION_FAILED',
  [status.UNIMPLEMENTED]: 'NOT_IMPLEMENTED',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.UNAUTHENTICATED]: 'CALLER_UNIDENTIFIED',
}
