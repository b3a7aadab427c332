/**
 * One line of a rule made ready to decide: a field with its values, or with the values that it must not have.
 * An attribute that is absent matches no value, so its negation holds, as in Istio: DENY with `not…` and ALLOW without
 * it fail closed.
 */
import type { Key } from './text-set.ts'
import type { View } from './view.ts'

/** What an index can look rules up by. */
export type Dimension =
  | 'principal'
  | 'namespace'
  | 'accountNamespace'
  | 'accountName'
  | 'trustDomain'
  | 'requestPrincipal'
  | 'sourceIp'
  | 'remoteIp'
  | 'destinationIp'
  | 'port'
  | 'host'
  | 'method'
  | 'path'
  | 'sni'

export interface Keys {
  readonly dimension: Dimension
  /** Where none of them matches, the clause cannot hold. */
  readonly keys: readonly Key[]
}

export interface Matcher {
  /** Is one of the values there? */
  readonly matches: (view: View) => boolean
  /** The attribute's value, for somebody who asks why. */
  readonly seen: (view: View) => string | undefined
  readonly keys: readonly Keys[]
}

export interface Clause extends Matcher {
  /** Where it stands in the rule, e.g. `from[0].source.notPrincipals`. */
  readonly field: string
  readonly values: readonly string[]
  readonly negated: boolean
}

export const clauseHolds = (clause: Clause, view: View): boolean =>
  clause.matches(view) !== clause.negated
