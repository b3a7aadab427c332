/** What is said when a workload asks for a secret that it may not have: to the caller SPIRE's text, to the log why. */
import type { Log } from '../../log/open-log.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { WorkloadUpdate } from '../cache/identity.ts'
import { type Failure, reportFailure } from '../workload-api/report-failure.ts'
import type { WhyNone, Workload } from '../workload-api/workload.ts'
import { showNames } from './check-names.ts'

/** Fields of a line of the log. */
export type Why = Readonly<Record<string, unknown>>

export function whyUnknown(
  unknown: readonly string[],
  { identities }: WorkloadUpdate,
  workload: Workload,
  whyNone: WhyNone | undefined,
): Why {
  const requested = showNames(unknown)
  if (identities.length === 0) return { requested, entries: 0, ...whyNone?.(workload) }
  const own = showNames(identities.map(({ id }) => id))
  const why = `none of its entries is for one of these names, or federates with a trust domain of them; its own are ${own}`
  return { requested, entries: identities.length, why }
}

export function notAuthorized(unknown: readonly string[], why: Why): IdentityError {
  const text = `workload is not authorized for the requested identities ${showNames(unknown)}`
  return new IdentityError('REQUEST_INVALID', text, { cause: { fields: why } })
}

const ADVICE =
  'A proxy asked for secrets that it may not have: see why; steeple why -pid shows what is missing, and the command to create an entry'

export function reportUnknown(log: Log, workload: Workload, why: Why): void {
  const { pid, uid } = workload.caller
  log.info({ pid, uid, ...why }, ADVICE)
}

/** As `reportFailure`, with the reason where a proxy was refused by name. */
export function reportSdsFailure(log: Log, failure: Failure): void {
  const { error, caller, method } = failure
  const why = error instanceof IdentityError ? fieldsOf(error.cause) : undefined
  if (
    why === undefined ||
    !(error instanceof IdentityError) ||
    error.code === 'NO_IDENTITY_ISSUED'
  ) {
    reportFailure(log, failure)
    return
  }
  const who = {
    method: method.slice(method.lastIndexOf('/') + 1),
    pid: caller?.pid,
    uid: caller?.uid,
  }
  log.info({ ...who, code: error.code, ...why }, ADVICE)
}

function fieldsOf(cause: unknown): object | undefined {
  if (typeof cause !== 'object' || cause === null || !('fields' in cause)) return undefined
  return typeof cause.fields === 'object' && cause.fields !== null ? cause.fields : undefined
}
