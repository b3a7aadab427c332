/**
 * PermissionDeniedDetails, or ErrorInfo, inside google.rpc.Status inside grpc-status-details-bin: small messages,
 * written and read with the generated codecs.
 */
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { definitionsOf } from './load.ts'

export type Reason =
  | 'UNKNOWN'
  | 'AGENT_EXPIRED'
  | 'AGENT_NOT_ATTESTED'
  | 'AGENT_NOT_ACTIVE'
  | 'AGENT_BANNED'
  | 'AGENT_MUST_REATTEST'

const TYPE_URL = 'type.googleapis.com/spire.api.types.PermissionDeniedDetails'

interface WireStatus {
  readonly code: number
  readonly message: string
  readonly details: readonly { readonly type_url: string; readonly value: Uint8Array }[]
}

// Casts: the loader types its map by name only; these two names are messages, not services or enums.
const statusType = () =>
  definitionsOf('status')['google.rpc.Status'] as MessageTypeDefinition<WireStatus, WireStatus>
const detailsType = () =>
  definitionsOf('entry')['spire.api.types.PermissionDeniedDetails'] as MessageTypeDefinition<
    { reason: Reason },
    { reason: Reason }
  >

export function encodeStatusDetails(code: number, message: string, reason: Reason): Buffer {
  const value = detailsType().serialize({ reason })
  return statusType().serialize({ code, message, details: [{ type_url: TYPE_URL, value }] })
}

const ERROR_INFO_URL = 'type.googleapis.com/google.rpc.ErrorInfo'
/** Whose reasons they are. @see Broker-API §4.8 */
const ERROR_DOMAIN = 'spiffe.io'

interface ErrorInfo {
  readonly reason: string
  readonly domain: string
}

const errorInfoType = () =>
  definitionsOf('errorDetails')['google.rpc.ErrorInfo'] as MessageTypeDefinition<
    ErrorInfo,
    ErrorInfo
  >

/** @param reason a constant of the SPIFFE Broker API, such as WORKLOAD_NOT_FOUND */
export function encodeErrorInfo(code: number, message: string, reason: string): Buffer {
  const value = errorInfoType().serialize({ reason, domain: ERROR_DOMAIN })
  return statusType().serialize({ code, message, details: [{ type_url: ERROR_INFO_URL, value }] })
}

/** @returns the reason, or undefined when there is none or the bytes are not what they claim to be */
export function decodeStatusDetails(bytes: string | Buffer | undefined): Reason | undefined {
  if (!Buffer.isBuffer(bytes)) return undefined
  try {
    const detail = statusType()
      .deserialize(bytes)
      .details.find(({ type_url }) => type_url === TYPE_URL)
    if (detail === undefined) return undefined
    return detailsType().deserialize(Buffer.from(detail.value)).reason
  } catch {
    return undefined // a hint for recovery only: a damaged one counts as absent
  }
}
