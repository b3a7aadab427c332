/**
 * What the agent's log says of a refused call. The caller is told no more than SPIRE tells it; who may read the log is
 * told why, and what to do.
 */
import type { Log } from '../../log/open-log.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { IdentityError } from '../../spiffe/error.ts'

export interface Failure {
  readonly method: string
  readonly error: unknown
  readonly caller?: UnixCaller
}

const ADVICE = {
  NO_IDENTITY_ISSUED:
    'No identity issued: no registration entry of this agent has only selectors that the process has; steeple why -pid shows what is missing, and the command to create an entry',
  ATTESTATION_FAILED:
    'Workload attestation failed: every attestor failed for the process, see the cause; it was told to try again',
  CALLER_UNIDENTIFIED:
    'Refused a connection that is no longer that of the process which opened it; the process may connect again',
  CALLER_HEADER_MISSING:
    'Refused a call without the header workload.spiffe.io: true; use a SPIFFE library or set it',
  RATE_LIMITED: 'Refused a call: too many calls are open at once',
} as const

export function reportFailure(log: Log, { method, error, caller }: Failure): void {
  const who = {
    method: method.slice(method.lastIndexOf('/') + 1),
    pid: caller?.pid,
    uid: caller?.uid,
  }
  if (!(error instanceof IdentityError)) {
    log.error({ ...who, err: error }, 'A call failed because of a defect of the agent')
    return
  }
  const fields = { ...who, code: error.code, err: error }
  switch (error.code) {
    case 'NO_IDENTITY_ISSUED':
      log.info({ ...who, entries: 0, ...fieldsOf(error.cause) }, ADVICE[error.code])
      return
    case 'ATTESTATION_FAILED':
    case 'CALLER_UNIDENTIFIED':
    case 'RATE_LIMITED':
      log.warn(fields, ADVICE[error.code])
      return
    case 'CALLER_HEADER_MISSING':
      log.info(who, ADVICE[error.code])
      return
    case 'CANCELED':
      log.debug(who, 'A caller has gone before it was answered')
      return
    case 'UNAVAILABLE':
      log.warn(fields, 'A call could not be answered now')
      return
    default:
      log.info(fields, 'Refused a call')
  }
}

/** What `noIdentity` was given for the log. */
function fieldsOf(cause: unknown): object {
  const isGiven = typeof cause === 'object' && cause !== null && 'fields' in cause
  return isGiven && typeof cause.fields === 'object' ? { ...cause.fields } : {}
}
