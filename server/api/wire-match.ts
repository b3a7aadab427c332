/** How lists are filtered by sets of selectors or trust domains, read from the wire. */

import type { SPIFFEID } from '../../proto/gen/spire/api/types/SPIFFEID.ts'
import type { IdParts } from '../entries/member-id.ts'
import type { MatchBehavior } from '../entries/set-match.ts'
import { invalid } from './refusal.ts'

const BEHAVIOR: ReadonlyMap<string | number, MatchBehavior> = new Map([
  ['MATCH_EXACT', 'exact'],
  ['MATCH_SUBSET', 'subset'],
  ['MATCH_SUPERSET', 'superset'],
  ['MATCH_ANY', 'any'],
])

/** An enum value that the protocol does not have arrives as its number, whatever the generated type says. */
export function fromWireMatch(match: string | number): MatchBehavior {
  const behavior = BEHAVIOR.get(match)
  if (behavior === undefined) throw invalid(`unhandled match behavior ${match}`)
  return behavior
}

export function idPartsOf(id: SPIFFEID | null): IdParts | undefined {
  return id === null ? undefined : { trustDomain: id.trust_domain, path: id.path }
}
