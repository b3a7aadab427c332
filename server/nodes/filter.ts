/**
 * Which nodes a list or count is about: all members that are set must match.
 *
 * @see SPIRE API, `ListAgentsRequest.Filter`
 */
import type { Selector } from '../../spiffe/selector.ts'
import { matchesSet, type SetMatch } from '../entries/set-match.ts'
import { type AttestedNode, isBanned } from './node.ts'

export interface NodeFilter {
  readonly attestationType?: string | undefined
  readonly selectors?: SetMatch<Selector> | undefined
  readonly banned?: boolean | undefined
  readonly canReattest?: boolean | undefined
  /** Nodes whose SVID in use ends before this moment. */
  readonly expiresBefore?: Date | undefined
}

export function matchesNodeFilter(node: AttestedNode, filter: NodeFilter): boolean {
  return (
    (filter.attestationType === undefined || node.attestationType === filter.attestationType) &&
    (filter.selectors === undefined || matchesSet(node.selectors, filter.selectors)) &&
    (filter.banned === undefined || isBanned(node) === filter.banned) &&
    (filter.canReattest === undefined || node.canReattest === filter.canReattest) &&
    (filter.expiresBefore === undefined || node.expiresAt < filter.expiresBefore)
  )
}
