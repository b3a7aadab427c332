/**
 * Walks over the tree of entries: down from an agent to what it may serve, and up from an entry to
 * who may serve it. An entry's SPIFFE ID is the parent ID of its children; cycles are cut.
 *
 * @see SPIRE behaviour §3 — the authorized set
 */
import type { SpiffeId } from '../../spiffe/id.ts'
import { isSatisfied, type Selector } from '../../spiffe/selector.ts'
import type { Entry } from './entry.ts'
import { type IndexState, isNodeAlias } from './index-state.ts'
import { valuesOf } from './multimap.ts'

/** Each holds a list as long as there are watched agents. */
const MAX_REMEMBERED_ALIASES = 64

const NOTHING: ReadonlySet<Selector> = new Set()

/** Everything below the agent's own ID and below every node alias that its selectors and `vouched` satisfy together. */
export function descendantsOf(
  state: IndexState,
  agentId: SpiffeId,
  vouched: ReadonlySet<Selector> = NOTHING,
): readonly Entry[] {
  const found: Entry[] = []
  const seen = new Set<SpiffeId>()
  const parents: SpiffeId[] = [agentId, ...aliasIdsOf(state, agentId, vouched)]
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    if (seen.has(parent)) continue
    seen.add(parent)
    for (const entry of valuesOf(state.byParent, parent)) {
      found.push(entry)
      parents.push(entry.spiffeId)
    }
  }
  return found
}

/** Whether the walk down from the agent would find the entry; walks up instead, which is short. */
export function reaches(state: IndexState, agentId: SpiffeId, entry: Entry): boolean {
  if (isNodeAlias(state, entry)) return false
  if (entry.parentId === agentId) return true
  const selectors = state.nodeSelectors.get(agentId)
  return someAncestor(
    state,
    entry,
    (id) => id === agentId,
    (alias) => selectors !== undefined && isSatisfied(alias.selectors, selectors),
  )
}

/** Adds to `agents` every watched agent that is authorized for the entry, or that has it as its alias. */
export function agentsReaching(state: IndexState, entry: Entry, agents: Set<SpiffeId>): void {
  if (state.watched.size === 0) return
  const addMembers = (alias: Entry) => {
    for (const agentId of membersOf(state, alias)) agents.add(agentId)
    return false
  }
  const addAgent = (id: SpiffeId) => {
    if (state.watched.has(id)) agents.add(id)
    return false
  }
  if (isNodeAlias(state, entry)) addMembers(entry)
  else someAncestor(state, entry, addAgent, addMembers)
}

/** One alias often stands for every node of a cluster, and a batch asks once for each of its entries. */
function membersOf(state: IndexState, alias: Entry): readonly SpiffeId[] {
  const known = state.members.get(alias)
  if (known !== undefined) return known
  const members = [...state.watched.keys()].filter((agentId) => {
    const selectors = state.nodeSelectors.get(agentId)
    return selectors !== undefined && isSatisfied(alias.selectors, selectors)
  })
  if (state.members.size >= MAX_REMEMBERED_ALIASES) state.members.clear()
  state.members.set(alias, members)
  return members
}

/** Goes up from the entry until one of the two says yes: to an ID on the way, or to a node alias of it. */
function someAncestor(
  state: IndexState,
  entry: Entry,
  isFoundId: (id: SpiffeId) => boolean,
  isFoundAlias: (alias: Entry) => boolean,
): boolean {
  const seen = new Set<SpiffeId>()
  const ids: SpiffeId[] = [entry.parentId]
  for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    if (isFoundId(id)) return true
    for (const above of valuesOf(state.bySpiffeId, id)) {
      if (!isNodeAlias(state, above)) ids.push(above.parentId)
      else if (isFoundAlias(above)) return true
    }
  }
  return false
}

function aliasIdsOf(
  state: IndexState,
  agentId: SpiffeId,
  vouched: ReadonlySet<Selector>,
): SpiffeId[] {
  const attested = state.nodeSelectors.get(agentId) ?? NOTHING
  const selectors = vouched.size === 0 ? attested : attested.union(vouched)
  const ids: SpiffeId[] = []
  for (const selector of selectors) {
    for (const alias of valuesOf(state.aliases, selector)) {
      if (isSatisfied(alias.selectors, selectors)) ids.push(alias.spiffeId)
    }
  }
  return ids
}
