/**
 * What the server clears away and how often.
 *
 * @see SPIRE behaviour §7 — housekeeping
 */
import type { Store } from '../store/store.ts'
import type { PruneJob } from './prune-loop.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** Readers follow within a second; whoever is further behind loads everything anew. */
const CHANGES_KEPT_MS = 60 * MINUTE_MS
/** After the last authority in it has expired: a journal is written when an authority is prepared, and not before the next. */
const JOURNALS_KEPT_MS = 14 * DAY_MS

export function pruneJobs(
  store: Pick<Store, 'entries' | 'joinTokens' | 'changes' | 'caJournal'>,
  caTtlSeconds: number,
): readonly PruneJob[] {
  return [
    {
      what: 'expired registration entries',
      everyMs: 5 * MINUTE_MS,
      prune: async (now, limit) => (await store.entries.pruneExpired(now, limit)).length,
    },
    {
      what: 'expired join tokens',
      everyMs: 5 * MINUTE_MS,
      prune: (now, limit) => store.joinTokens.pruneExpired(now, limit),
    },
    {
      what: 'old change records',
      everyMs: 5 * MINUTE_MS,
      prune: (now, limit) => store.changes.prune(new Date(now.getTime() - CHANGES_KEPT_MS), limit),
    },
    {
      what: 'CA journals of servers that are gone',
      everyMs: DAY_MS,
      prune: (now, limit) =>
        store.caJournal.prune(
          new Date(now.getTime() - caTtlSeconds * 1000 - JOURNALS_KEPT_MS),
          limit,
        ),
    },
  ]
}
