/** What both ways of following the server have in common: whom they ask, what they give, whom they tell. */
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Knowledge, Update } from '../cache/knowledge.ts'
import type { Lease } from '../node/server-connection.ts'

export interface FeedDeps {
  readonly trustDomain: TrustDomain
  /** False: all entries are asked for, each time, and nothing is pushed. */
  readonly usesSync: boolean
  knowledge(): Knowledge
  apply(update: Update): void
  /** Told of what was left out because it could not be read or fetched. */
  onSkipped(
    error: unknown,
    what: { readonly entryId?: string; readonly trustDomain?: string },
  ): void
  readonly clock: Clock
}

export interface FeedRun {
  readonly lease: Lease
  /** How long a poll waits for each answer; undefined: as long as any call. */
  readonly deadlineMs?: number | undefined
  readonly signal: AbortSignal
}
