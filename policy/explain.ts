/**
 * Tells how a decision comes about: every policy that applies, every rule of it, and every clause with what it asked
 * for and what was there. It walks all rules and is meant for people, not for the way of requests.
 */
import { type Clause, clauseHolds } from './clause.ts'
import type {
  CompiledAuthorization,
  ConnectionAuthorization,
  PlacedPolicy,
  RequestAuthorization,
} from './compile.ts'
import { type Alternative, type PlacedRule, ruleMatches } from './compiled-rule.ts'
import { decide, type ProviderQuestion, providersToAsk } from './decide.ts'
import type { ConnectionFacts, RequestFacts } from './facts.ts'
import type { RuleName, Verdict } from './verdict.ts'
import { type View, viewFor } from './view.ts'

export interface ExplainedClause {
  /** Where it stands in the rule, e.g. `from[0].source.principals`. */
  readonly field: string
  /** It asks that none of the values be there. */
  readonly negated: boolean
  readonly values: readonly string[]
  /** The attribute's value; undefined when it was absent. */
  readonly seen: string | undefined
  readonly holds: boolean
}

export type ExplainedRule =
  | {
      readonly kind: 'rule'
      readonly name: RuleName
      readonly matches: boolean
      /** Alternatives of `from` and `to`: one of each must hold as a whole. */
      readonly from: readonly (readonly ExplainedClause[])[]
      readonly to: readonly (readonly ExplainedClause[])[]
      readonly when: readonly ExplainedClause[]
      /** What this place does not see of the rule. */
      readonly notes: readonly string[]
    }
  | { readonly kind: 'left-out'; readonly name: RuleName; readonly why: string }

export interface ExplainedPolicy {
  readonly namespace: string
  readonly name: string
  readonly action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM'
  readonly dryRun: boolean
  readonly matches: boolean
  readonly rules: readonly ExplainedRule[]
}

export interface Explanation {
  readonly verdict: Verdict
  /** Providers that must agree before the verdict can be allow. */
  readonly providers: readonly ProviderQuestion[]
  /** In the order in which they are looked at: CUSTOM, AUDIT, DENY, ALLOW. */
  readonly policies: readonly ExplainedPolicy[]
}

export function explain(compiled: ConnectionAuthorization, facts: ConnectionFacts): Explanation
export function explain(compiled: RequestAuthorization, facts: RequestFacts): Explanation
export function explain(compiled: CompiledAuthorization, facts: ConnectionFacts): Explanation {
  const policies = walk(compiled.policies, viewFor(compiled, facts))
  if (compiled.layer === 'connection') {
    return {
      verdict: decide(compiled, facts),
      providers: providersToAsk(compiled, facts),
      policies,
    }
  }
  const request = facts as RequestFacts // the overloads above see to it
  return {
    verdict: decide(compiled, request),
    providers: providersToAsk(compiled, request),
    policies,
  }
}

const ORDER = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW']

function walk(policies: readonly PlacedPolicy[], view: View): readonly ExplainedPolicy[] {
  return policies
    .map(({ policy, rules }) => {
      const explained = rules.map((rule) => explainRule(rule, view))
      return {
        namespace: policy.namespace,
        name: policy.name,
        action: policy.action.kind,
        dryRun: policy.dryRun,
        matches: explained.some((rule) => rule.kind === 'rule' && rule.matches),
        rules: explained,
      }
    })
    .sort((one, other) => ORDER.indexOf(one.action) - ORDER.indexOf(other.action))
}

function explainRule(placed: PlacedRule, view: View): ExplainedRule {
  if (placed.kind === 'left-out') return placed
  const { rule } = placed
  const alternative = (clauses: Alternative) => clauses.map((clause) => explainClause(clause, view))
  return {
    kind: 'rule',
    name: rule.name,
    matches: ruleMatches(rule, view),
    from: rule.from.map(alternative),
    to: rule.to.map(alternative),
    when: alternative(rule.when),
    notes: rule.notes,
  }
}

const explainClause = (clause: Clause, view: View): ExplainedClause => ({
  field: clause.field,
  negated: clause.negated,
  values: clause.values,
  seen: clause.seen(view),
  holds: clauseHolds(clause, view),
})
