/**
 * All entries in memory, by parent, so that "what may this agent serve" costs no query. Kept up to
 * date change by change; each change names the watched agents it may concern.
 *
 * It refuses to answer before everything has been loaded: an empty answer would make agents drop
 * what they serve.
 *
 * @see SPIRE behaviour §3 — the authorized set
 */
import { IdentityError } from '../../spiffe/error.ts'
import { type SpiffeId, serverId, type TrustDomain } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { agentsReaching, descendantsOf, reaches } from './authorized-walk.ts'
import type { Entry } from './entry.ts'
import { type IndexState, isNodeAlias } from './index-state.ts'
import { addTo, removeFrom, valuesOf } from './multimap.ts'

export type IndexChange =
  | { readonly kind: 'entry'; readonly id: string; readonly entry: Entry | undefined }
  | {
      readonly kind: 'node'
      readonly id: SpiffeId
      /** Undefined when the node is gone. */
      readonly selectors: readonly Selector[] | undefined
    }

export interface EntryIndex {
  /**
   * Takes over what an entry or node is now; saying the same twice is harmless.
   * @returns the watched agents whose authorized entries may have changed: all of those, perhaps more
   */
  apply(change: IndexChange): ReadonlySet<SpiffeId>
  /**
   * The entries whose SVIDs the agent may ask for, in no particular order. Node aliases themselves
   * are not among them. An agent without a node yet has its direct children and theirs.
   * @param vouched what is known of its node beside the selectors that it attested, for node aliases
   * @throws IdentityError UNAVAILABLE before everything is loaded
   */
  authorizedFor(agentId: SpiffeId, vouched?: ReadonlySet<Selector>): readonly Entry[]
  /**
   * The entry, if the agent is authorized for it; much cheaper than the whole set.
   * @throws IdentityError UNAVAILABLE before everything is loaded
   */
  entryFor(agentId: SpiffeId, entryId: string): Entry | undefined
  /** All entries of this ID, in no particular order. @throws IdentityError UNAVAILABLE before everything is loaded */
  ofSpiffeId(spiffeId: SpiffeId): Iterable<Entry>
  /** Whether an entry makes this ID an admin. @throws IdentityError UNAVAILABLE before everything is loaded */
  isAdmin(spiffeId: SpiffeId): boolean
  /** The oldest downstream entry of this ID. @throws IdentityError UNAVAILABLE before everything is loaded */
  downstreamEntry(spiffeId: SpiffeId): Entry | undefined
  /** Makes `apply` name this agent until the returned function is called; watches of one agent add up. */
  watch(agentId: SpiffeId): () => void
  /** Everything is loaded: from now on the index answers. */
  markReady(): void
  isReady(): boolean
  /** What it holds now, for a reload to find what is gone. */
  entryIds(): Iterable<string>
  nodeIds(): Iterable<SpiffeId>
}

export function createEntryIndex(trustDomain: TrustDomain): EntryIndex {
  const state: IndexState = {
    serverId: serverId(trustDomain),
    entries: new Map(),
    byParent: new Map(),
    bySpiffeId: new Map(),
    aliases: new Map(),
    nodeSelectors: new Map(),
    watched: new Map(),
    members: new Map(),
  }
  let ready = false
  // Fails closed: nobody is authorized for anything by an index that is not complete.
  const loaded = (): IndexState => {
    if (!ready) {
      throw new IdentityError('UNAVAILABLE', 'registration entries are still being loaded')
    }
    return state
  }
  return {
    apply: (change) =>
      change.kind === 'entry'
        ? applyEntry(state, change.id, change.entry)
        : applyNode(state, change.id, change.selectors),
    authorizedFor: (agentId, vouched) => descendantsOf(loaded(), agentId, vouched),
    entryFor: (agentId, entryId) => {
      const entry = loaded().entries.get(entryId)
      return entry !== undefined && reaches(state, agentId, entry) ? entry : undefined
    },
    ofSpiffeId: (spiffeId) => valuesOf(loaded().bySpiffeId, spiffeId),
    isAdmin: (spiffeId) =>
      [...valuesOf(loaded().bySpiffeId, spiffeId)].some((entry) => entry.admin),
    downstreamEntry: (spiffeId) =>
      [...valuesOf(loaded().bySpiffeId, spiffeId)]
        .filter((entry) => entry.downstream)
        .sort(byAge)
        .at(0),
    watch: (agentId) => watchAgent(state, agentId),
    markReady: () => {
      ready = true
    },
    isReady: () => ready,
    entryIds: () => state.entries.keys(),
    nodeIds: () => state.nodeSelectors.keys(),
  }
}

const NOBODY: ReadonlySet<SpiffeId> = new Set()

function applyEntry(
  state: IndexState,
  id: string,
  entry: Entry | undefined,
): ReadonlySet<SpiffeId> {
  const before = state.entries.get(id)
  // Nobody is watched yet while everything is loaded: a set for each of a hundred thousand entries would hold nothing.
  const affected = state.watched.size === 0 ? undefined : new Set<SpiffeId>()
  // Who reached it before loses or keeps it; who reaches it afterwards gains it. Moving an entry
  // moves its children too, and those are reached by exactly the agents that reach the entry.
  if (before !== undefined) {
    if (affected !== undefined) agentsReaching(state, before, affected)
    dropEntry(state, before)
  }
  if (entry !== undefined) {
    putEntry(state, entry)
    if (affected !== undefined) agentsReaching(state, entry, affected)
  }
  return affected ?? NOBODY
}

function putEntry(state: IndexState, entry: Entry): void {
  state.entries.set(entry.id, entry)
  addTo(state.bySpiffeId, entry.spiffeId, entry)
  const [selector] = entry.selectors
  if (!isNodeAlias(state, entry)) addTo(state.byParent, entry.parentId, entry)
  else if (selector !== undefined) addTo(state.aliases, selector, entry)
}

function dropEntry(state: IndexState, entry: Entry): void {
  state.entries.delete(entry.id)
  state.members.delete(entry)
  removeFrom(state.bySpiffeId, entry.spiffeId, entry)
  const [selector] = entry.selectors
  if (!isNodeAlias(state, entry)) removeFrom(state.byParent, entry.parentId, entry)
  else if (selector !== undefined) removeFrom(state.aliases, selector, entry)
}

function applyNode(
  state: IndexState,
  id: SpiffeId,
  selectors: readonly Selector[] | undefined,
): ReadonlySet<SpiffeId> {
  const before = state.nodeSelectors.get(id)
  const after = selectors === undefined ? undefined : new Set(selectors)
  if (after === undefined) state.nodeSelectors.delete(id)
  else state.nodeSelectors.set(id, after)
  // Renewals and versions change the node but not what it may serve.
  const isSame =
    (before ?? NOBODY).size === (after ?? NOBODY).size &&
    (after === undefined || after.isSubsetOf(before ?? new Set()))
  if (isSame) return NOBODY
  state.members.clear()
  return state.watched.has(id) ? new Set([id]) : NOBODY
}

function watchAgent(state: IndexState, agentId: SpiffeId): () => void {
  state.watched.set(agentId, (state.watched.get(agentId) ?? 0) + 1)
  state.members.clear()
  let isWatching = true
  return () => {
    if (!isWatching) return
    isWatching = false
    state.members.clear()
    const left = (state.watched.get(agentId) ?? 0) - 1
    if (left > 0) state.watched.set(agentId, left)
    else state.watched.delete(agentId)
  }
}

function byAge(a: Entry, b: Entry): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1)
}
