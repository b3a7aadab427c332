/**
 * The rules of one kind at one place. They are reported in the order of Envoy's policy identifiers, so the same rule
 * is named for a request whoever enforces it.
 */
import { type CompiledRule, ruleMatches } from './compiled-rule.ts'
import { buildIndex, type IndexNode, type RankedRule } from './rule-index.ts'
import type { RuleName } from './verdict.ts'
import type { View } from './view.ts'
import { visitIndex } from './visit-index.ts'

export interface RuleSet {
  readonly rules: readonly RankedRule[]
  readonly index: IndexNode
}

/** `ns[shop]-policy[cart]-rule[0]`, as in Envoy's logs. */
export const ruleId = ({ namespace, policy, rule }: RuleName): string =>
  `ns[${namespace}]-policy[${policy}]-rule[${rule}]`

export function ruleSet(rules: readonly CompiledRule[]): RuleSet {
  const ranked = rules
    .map((rule) => ({ id: ruleId(rule.name), rule }))
    .sort((one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0))
    .map(({ rule }, rank) => ({ rank, rule }))
  return { rules: ranked, index: buildIndex(ranked) }
}

/** The first rule, in the order above, that matches. */
export function firstMatch(set: RuleSet, view: View): RuleName | undefined {
  let best: RankedRule | undefined
  visitIndex(set.index, view, (rules) => {
    for (const ranked of rules) {
      if (best !== undefined && ranked.rank >= best.rank) return
      if (ruleMatches(ranked.rule, view)) best = ranked
    }
  })
  return best?.rule.name
}

/** All rules that match, in the order above. */
export function allMatches(set: RuleSet, view: View): readonly RuleName[] {
  const found = new Map<number, RuleName>()
  visitIndex(set.index, view, (rules) => {
    for (const { rank, rule } of rules) {
      if (!found.has(rank) && ruleMatches(rule, view)) found.set(rank, rule.name)
    }
  })
  return [...found].sort(([one], [other]) => one - other).map(([, name]) => name)
}
