/**
 * The header that every call of the Workload API, and one that every call of the Broker API carries. A browser or a proxy that is tricked into calling the socket
 * cannot set it, so a call without it is refused before anything else is looked at.
 *
 * @see Workload-Endpoint §4.1 — protection from server-side request forgery
 */
import type { Metadata } from '@grpc/grpc-js'
import { IdentityError } from '../../spiffe/error.ts'

const HEADER = 'workload.spiffe.io'
export const BROKER_HEADER = 'broker.spiffe.io'

/** @throws IdentityError CALLER_HEADER_MISSING unless the header is there once, with the value `true` */
export function requireSecurityHeader(metadata: Metadata, header = HEADER): void {
  const values = metadata.get(header)
  if (values.length !== 1 || values[0] !== 'true') {
    throw new IdentityError('CALLER_HEADER_MISSING', 'security header missing from request')
  }
}
