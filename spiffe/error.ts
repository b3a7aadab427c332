/**
 * The one error class of the project, and the closed list of things that can go wrong.
 * Expected outcomes are returned as values; a bug is any other error and is never shown to a caller.
 */

/** What a caller may branch on. `proto/status.ts` gives each one its gRPC status. */
export type ErrorCode =
  // the caller's input
  | 'SPIFFE_ID_INVALID'
  | 'TRUST_DOMAIN_INVALID'
  | 'SELECTOR_INVALID'
  | 'ENTRY_INVALID'
  | 'BUNDLE_MALFORMED'
  | 'CERTIFICATE_MALFORMED'
  | 'CSR_INVALID'
  | 'JWT_SVID_INVALID'
  | 'REQUEST_INVALID'
  | 'CONFIG_INVALID'
  | 'CALLER_HEADER_MISSING'
  // who is calling
  | 'CERTIFICATE_UNTRUSTED'
  | 'CALLER_UNIDENTIFIED'
  | 'ATTESTATION_FAILED'
  | 'NO_IDENTITY_ISSUED'
  | 'NOT_AUTHORIZED'
  | 'AGENT_EXPIRED'
  | 'AGENT_NOT_ATTESTED'
  | 'AGENT_NOT_ACTIVE'
  | 'AGENT_BANNED'
  | 'AGENT_MUST_REATTEST'
  // the workload that a broker names
  | 'WORKLOAD_REFERENCE_INVALID'
  | 'WORKLOAD_NOT_FOUND'
  | 'WORKLOAD_NOT_ENTITLED'
  // what is there
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PRECONDITION_FAILED'
  // what we can do now
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'RATE_LIMITED'
  | 'NOT_IMPLEMENTED'
  | 'CANCELED'
  | 'INTERNAL'

/**
 * A refusal or failure that somebody outside may see.
 *
 * The message is lower-case without a final period, says what was seen and what was expected, and
 * never carries key material, a token or any other secret.
 */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The text of anything thrown, for wrapping into a message of ours. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
