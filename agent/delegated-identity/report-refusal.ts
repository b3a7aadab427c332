/** What the agent's log says of a refused delegate: the code and why, without any selector, which only the delegate is shown. */
import type { Log } from '../../log/open-log.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { IdentityError } from '../../spiffe/error.ts'

export interface Refusal {
  readonly method: string
  readonly error: unknown
  readonly caller?: UnixCaller
}

export function reportRefusal(log: Log, { method, error, caller }: Refusal): void {
  const who = { method, pid: caller?.pid, uid: caller?.uid }
  if (!(error instanceof IdentityError)) {
    log.error({ ...who, err: error }, 'A call failed because of a defect of the agent')
    return
  }
  const { code, cause } = error
  switch (code) {
    case 'CANCELED':
      log.debug(who, 'A delegate has gone before it was answered')
      return
    case 'NO_IDENTITY_ISSUED':
      log.warn({ ...who, code, ...fieldsOf(cause) }, 'A delegate asked, and no identity was issued')
      return
    default:
      log.warn({ ...who, code, reason: error.message }, 'Refused a delegate')
  }
}

/** What whoever threw it meant for the log. */
function fieldsOf(cause: unknown): object {
  const isGiven = typeof cause === 'object' && cause !== null && 'fields' in cause
  return isGiven && typeof cause.fields === 'object' ? { ...cause.fields } : {}
}
