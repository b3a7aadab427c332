/** What all streams of writes have in common: they write until they are told to stop, or are not answered. */
import type { Random } from '../../spiffe/random.ts'
import type { Admin, Outcome } from './clients.ts'
import type { Attempt } from './record.ts'

/** While the server is up. */
export interface Up {
  readonly admin: Admin
  readonly random: Random
  /** What must never happen: a refusal of what the record says can be done. */
  fault(what: string): void
}

export interface WriteStream {
  /** @returns false when it was not answered: the server is gone, and nothing more is written */
  step(up: Up): Promise<boolean>
  /** Compares the record with what the server has now, while nothing is written. @returns what is wrong */
  check(up: Up): Promise<readonly string[]>
  /** For the report. */
  counts(): { readonly acknowledged: number; readonly unanswered: number }
}

interface Status {
  readonly code: number
  readonly message: string
}

/** Files the outcome of a batch of one. @returns whether it was answered */
export function settle(
  outcome: Outcome<{ readonly results: readonly { readonly status: Status | null }[] }>,
  attempt: Attempt,
  refused: (why: string) => void,
): boolean {
  if (outcome.kind === 'unanswered') return false
  if (outcome.kind === 'refused') {
    attempt.refuse()
    refused(outcome.why)
    return true
  }
  const [result] = outcome.reply.results
  if (result?.status?.code === 0) {
    attempt.acknowledge()
    return true
  }
  attempt.refuse()
  refused(`${result?.status?.code}: ${result?.status?.message}`)
  return true
}
