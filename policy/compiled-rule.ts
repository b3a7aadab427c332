/**
 * A rule made ready to decide at one place, and what became of rules that the place cannot enforce as written.
 */
import { type Clause, clauseHolds } from './clause.ts'
import type { RuleName } from './verdict.ts'
import type { View } from './view.ts'

/** Clauses that must all hold. */
export type Alternative = readonly Clause[]

export interface CompiledRule {
  readonly name: RuleName
  /** Everything below as one list, the request first, where `from` and `to` have one alternative at most. */
  readonly tests: readonly ((view: View) => boolean)[] | undefined
  /** One of them must hold; no alternatives ask nothing. An alternative without clauses holds. */
  readonly from: readonly Alternative[]
  readonly to: readonly Alternative[]
  readonly when: Alternative
  /** What the place does not see of the rule as it is written; empty when it sees all. */
  readonly notes: readonly string[]
}

/** `left-out`: the rule can never match here. */
export type PlacedRule =
  | { readonly kind: 'rule'; readonly rule: CompiledRule }
  | { readonly kind: 'left-out'; readonly name: RuleName; readonly why: string }

/** Makes the short form of a rule beside its long one: most rules have no alternatives. */
export function compiledRule(written: Omit<CompiledRule, 'tests'>): CompiledRule {
  const { from, to, when } = written
  const isPlain = from.length <= 1 && to.length <= 1
  return { ...written, tests: isPlain ? [...to, ...from, when].flat().map(testOf) : undefined }
}

const testOf = ({ matches, negated }: Clause): ((view: View) => boolean) =>
  negated ? (view) => !matches(view) : matches

export function ruleMatches(rule: CompiledRule, view: View): boolean {
  if (rule.tests !== undefined) {
    for (const test of rule.tests) if (!test(view)) return false
    return true
  }
  return oneHolds(rule.from, view) && oneHolds(rule.to, view) && allHold(rule.when, view)
}

function oneHolds(alternatives: readonly Alternative[], view: View): boolean {
  if (alternatives.length === 0) return true
  for (const alternative of alternatives) if (allHold(alternative, view)) return true
  return false
}

function allHold(alternative: Alternative, view: View): boolean {
  for (const clause of alternative) if (!clauseHolds(clause, view)) return false
  return true
}
