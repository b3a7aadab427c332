/** One line in the log for each call that failed: what was called, by whom, and why it was not served. */
import { status } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import { statusCodeOf } from '../../proto/status.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { type Caller, describeCaller } from './caller.ts'

export interface FailedCall {
  readonly method: string
  readonly error: unknown
  readonly caller?: Caller
}

export function logFailedCall(log: Log, { method, error, caller }: FailedCall): void {
  const fields = { method, ...describeCaller(caller) }
  if (!(error instanceof IdentityError)) {
    log.error({ ...fields, code: status[status.INTERNAL], err: error }, 'Call failed: a bug')
    return
  }
  const code = statusCodeOf(error)
  const line = { ...fields, code: status[code], reason: reasonOf(error), ...whyAgent(error) }
  switch (code) {
    case status.CANCELLED:
      log.debug(line, 'Call ended by the caller')
      break
    case status.INTERNAL:
    case status.UNAVAILABLE:
      log.error(line, 'Call failed')
      break
    default:
      log.warn(line, 'Call refused')
  }
}

/** The caller hears only that it was denied; the operator also hears what is wrong with the agent. */
function whyAgent(error: IdentityError): { readonly agent?: string } {
  const isAgent = error.code.startsWith('AGENT_') && error.cause !== undefined
  return isAgent ? { agent: reasonOf(error.cause) } : {}
}
