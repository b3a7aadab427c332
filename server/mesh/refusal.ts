/**
 * Why a mesh's proxy gets no certificate: what it is told, which is little, and which check failed and how, which is for
 * the log and the administrators.
 *
 * @see Mesh issuance §2.1 — errors
 */
import { type ErrorCode, IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { PrivilegedIds } from '../entries/privileged-ids.ts'

export type Check =
  | 'rate'
  | 'cluster'
  | 'token'
  | 'account'
  | 'request'
  | 'csr'
  | 'node-account'
  | 'node'
  | 'identity'
  | 'entry'
  | 'issuer'

/** What an operator is told beyond what the caller is. */
class FailedCheck extends Error {
  readonly check: Check

  constructor(check: Check, reason: string, cause: unknown) {
    super(reason, { cause })
    this.check = check
  }
}

interface Told {
  readonly code: ErrorCode
  readonly message: string
}

/** @param reason lower-case, without a period; never a token or a key */
export function refused(
  check: Check,
  { code, message }: Told,
  reason: string,
  cause?: unknown,
): IdentityError {
  return new IdentityError(code, message, { cause: new FailedCheck(check, reason, cause) })
}

/** As `refused`, where the caller may know it all. */
export function refusedPlainly(check: Check, code: ErrorCode, reason: string): IdentityError {
  return refused(check, { code, message: reason }, reason)
}

/** @throws IdentityError NO_IDENTITY_ISSUED for an ID with rights at this server, UNAVAILABLE before that is known */
export function refusePrivileged(privileged: PrivilegedIds, id: SpiffeId): void {
  const why = privileged.reasonAgainst(id)
  if (why !== undefined) throw refusedPlainly('entry', 'NO_IDENTITY_ISSUED', why)
}

export interface WhyRefused {
  readonly check: Check
  readonly reason: string
}

/** Of any error that ended a call. What no check of ours refused could not be signed. */
export function whyRefused(error: unknown): WhyRefused {
  const cause = error instanceof IdentityError ? error.cause : undefined
  if (cause instanceof FailedCheck) return { check: cause.check, reason: cause.message }
  const isRate = error instanceof IdentityError && error.code === 'RATE_LIMITED'
  return { check: isRate ? 'rate' : 'issuer', reason: reasonOf(error) }
}
