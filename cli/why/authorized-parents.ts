/**
 * Whose children an agent is given: the agent itself, the aliases of its node, and every ID that is registered below
 * one of these. Pure.
 *
 * @see SPIRE behaviour §3 — authorized set
 */
import type { RegisteredEntry } from '../../agent/explain/facts.ts'
import { type SpiffeId, serverId, trustDomainOf } from '../../spiffe/id.ts'
import { isSatisfied, type Selector } from '../../spiffe/selector.ts'

/** @param nodeSelectors what the server knows of the agent's node */
export function authorizedParents(
  agentId: SpiffeId,
  nodeSelectors: ReadonlySet<Selector>,
  entries: readonly RegisteredEntry[],
): ReadonlySet<SpiffeId> {
  const server = serverId(trustDomainOf(agentId))
  const aliases = entries.filter(
    ({ parentId, selectors }) => parentId === server && isSatisfied(selectors, nodeSelectors),
  )
  const below = Map.groupBy(entries, ({ parentId }) => parentId)
  const parents = new Set<SpiffeId>([agentId, ...aliases.map(({ id }) => id)])
  // A set hands out what is added while it is walked, and nothing twice: cycles end by themselves.
  for (const parent of parents) for (const { id } of below.get(parent) ?? []) parents.add(id)
  return parents
}
