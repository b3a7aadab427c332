/** What the entry index holds in memory: the maps that the walks over the tree of entries read. */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { Entry } from './entry.ts'
import type { Multimap } from './multimap.ts'

export interface IndexState {
  readonly serverId: SpiffeId
  readonly entries: Map<string, Entry>
  /** Node aliases are not in it. */
  readonly byParent: Multimap<SpiffeId, Entry>
  /** Node aliases are in it. */
  readonly bySpiffeId: Multimap<SpiffeId, Entry>
  /** Each alias under one of its selectors: who has all of them has that one too. */
  readonly aliases: Multimap<Selector, Entry>
  readonly nodeSelectors: Map<SpiffeId, ReadonlySet<Selector>>
  /** How often each agent is watched. */
  readonly watched: Map<SpiffeId, number>
  /** Watched agents of a node alias, as far as they were asked for since the last change to either. */
  readonly members: Map<Entry, readonly SpiffeId[]>
}

/** Its parent is the server: it gives nodes with its selectors one more ID, and nobody an SVID. */
export function isNodeAlias(state: IndexState, entry: Entry): boolean {
  return entry.parentId === state.serverId
}
