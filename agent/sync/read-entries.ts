/** Entries from the server into the agent's own form. One that cannot be read is left out: it matches nobody. */
import type { Entry as WireEntry } from '../../proto/gen/spire/api/types/Entry.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { type CachedEntry, fromWireEntry } from '../cache/entry.ts'
import type { FeedDeps } from './feed.ts'

/** More than this in one state is no node of ours, but a fault of the server. */
const MAX_ENTRIES = 1_000_000

export function readEntries(
  wire: readonly WireEntry[],
  { trustDomain, onSkipped }: FeedDeps,
): readonly CachedEntry[] {
  return wire.flatMap((entry) => {
    try {
      return fromWireEntry(entry, trustDomain)
    } catch (error) {
      onSkipped(error, { entryId: entry.id })
      return []
    }
  })
}

/** @throws IdentityError when a state grows beyond the bound */
export function checkCount(count: number): void {
  if (count > MAX_ENTRIES) {
    throw new IdentityError('INTERNAL', `the server sent more than ${MAX_ENTRIES} entries`)
  }
}
