/** What a handler has learned of a call by the time it ends, for the log, the audit line and the tally. */
import type { Call } from '../../proto/serve.ts'
import { noteForAudit } from '../audit/audit-log.ts'
import type { Caller } from '../listen/caller.ts'

export interface Facts {
  /** As the caller says. */
  readonly cluster?: string
  /** `namespace/name` of the service account that the token is of. */
  readonly account?: string
  readonly pod?: string
  /** What was asked for; unless it is issued, whatever the caller wrote. */
  readonly identity?: string
  readonly expiresAt?: Date
}

/** Longer words of a caller are of no use to anybody who reads the log. */
const MAX_FACT_LENGTH = 256

const known = new WeakMap<object, Facts>()

export function noteFacts(call: Call<Caller>, facts: Facts): void {
  const clipped = Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      typeof fact === 'string' ? fact.slice(0, MAX_FACT_LENGTH) : fact,
    ]),
  )
  known.set(call, { ...known.get(call), ...clipped })
  const { identity, account, cluster, pod } = clipped
  noteForAudit(call, {
    ...(identity === undefined ? {} : { requested_identity: identity }),
    ...(account === undefined ? {} : { service_account: account }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(pod === undefined ? {} : { pod }),
  })
}

export function factsOf(call: Call<Caller> | undefined): Facts {
  return (call === undefined ? undefined : known.get(call)) ?? {}
}
