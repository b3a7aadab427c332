/**
 * How a set of selectors or trust domains is compared with the one a caller asks for.
 * The store answers the same question in SQL; a property test holds the two together.
 *
 * @see SPIRE API, `SelectorMatch.MatchBehavior`
 */

/**
 * `exact`: the same set; `subset`: a non-empty part of the given set; `superset`: all of the given
 * set and perhaps more; `any`: at least one in common.
 */
export type MatchBehavior = 'exact' | 'subset' | 'superset' | 'any'

export interface SetMatch<T> {
  readonly match: MatchBehavior
  /** At least one; asking for an empty set is refused by the store. */
  readonly values: readonly T[]
}

export function matchesSet<T>(candidate: readonly T[], { match, values }: SetMatch<T>): boolean {
  const present = new Set(candidate)
  const wanted = new Set(values)
  switch (match) {
    case 'exact':
      return present.size > 0 && present.size === wanted.size && present.isSubsetOf(wanted)
    case 'subset':
      return present.size > 0 && present.isSubsetOf(wanted)
    case 'superset':
      return wanted.size > 0 && wanted.isSubsetOf(present)
    case 'any':
      return !present.isDisjointFrom(wanted)
    default:
      return match satisfies never
  }
}
