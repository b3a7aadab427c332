/** What a simulated agent remembers of each entry that it was ever told of: when it knew it, and had its SVID. */
import type { Applied } from '../../agent/cache/knowledge.ts'
import type { WorkloadCache } from '../../agent/cache/workload-cache.ts'
import { systemClock } from '../../spiffe/clock.ts'

/** When something became so, in milliseconds since 1970; undefined: not yet. */
export interface EntryRecord {
  /** The agent was told of it, first. */
  readonly knownMs: number
  readonly svidMs: number | undefined
  /** It was taken back; undefined while it is there. */
  readonly goneMs: number | undefined
  readonly revision: number
}

/** To be called before the cache takes the update in. */
export function note(
  records: Map<string, EntryRecord>,
  { knowledge, changedEntryIds }: Applied,
  cache: WorkloadCache,
): void {
  const atMs = systemClock.now().getTime()
  for (const entryId of changedEntryIds) {
    const entry = knowledge.entries.get(entryId)
    const before = records.get(entryId)
    if (entry === undefined) {
      if (before !== undefined) records.set(entryId, { ...before, goneMs: atMs })
    } else if (before === undefined || before.goneMs !== undefined) {
      const svidMs = cache.svids().get(entryId)?.obtainedAt.getTime()
      records.set(entryId, { knownMs: atMs, svidMs, goneMs: undefined, revision: entry.revision })
    } else records.set(entryId, { ...before, revision: entry.revision })
  }
}

export function noteSvids(records: Map<string, EntryRecord>, cache: WorkloadCache): void {
  for (const [entryId, { obtainedAt }] of cache.svids()) {
    const record = records.get(entryId)
    if (record === undefined || record.svidMs !== undefined) continue
    records.set(entryId, { ...record, svidMs: obtainedAt.getTime() })
  }
}
