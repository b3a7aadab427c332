/**
 * Which entries a list or count is about: all members that are set must match.
 *
 * @see SPIRE API, `ListEntriesRequest.Filter`
 */
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { Entry } from './entry.ts'
import { matchesSet, type SetMatch } from './set-match.ts'

export interface EntryFilter {
  readonly spiffeId?: SpiffeId | undefined
  readonly parentId?: SpiffeId | undefined
  readonly selectors?: SetMatch<Selector> | undefined
  readonly federatesWith?: SetMatch<TrustDomain> | undefined
  /** Exact. The empty string asks for nothing, as in SPIRE. */
  readonly hint?: string | undefined
  readonly downstream?: boolean | undefined
}

export function matchesFilter(entry: Entry, filter: EntryFilter): boolean {
  return (
    (filter.spiffeId === undefined || entry.spiffeId === filter.spiffeId) &&
    (filter.parentId === undefined || entry.parentId === filter.parentId) &&
    (filter.selectors === undefined || matchesSet(entry.selectors, filter.selectors)) &&
    (filter.federatesWith === undefined || matchesSet(entry.federatesWith, filter.federatesWith)) &&
    (filter.hint === undefined || filter.hint === '' || entry.hint === filter.hint) &&
    (filter.downstream === undefined || entry.downstream === filter.downstream)
  )
}
