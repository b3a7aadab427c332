/**
 * Findings about rules beside each other: those that change nothing, those that are never asked, and those that look like
 * one rule torn in two.
 */
import type { AuthorizationPolicy, Rule } from '../authorization-policy.ts'
import { ruleCovers } from './covers.ts'
import { type Finding, nameOf, placeIn } from './finding.ts'
import { type Linted, reachesAllOf } from './surroundings.ts'
import { placeOfRule } from './written-field.ts'

/** Pairs of rules that are compared in one run; about a second. One of long rules counts as many. */
const MAX_COMPARISONS = 1_000_000
/** So many pairs of values take as long as a pair of rules does besides. */
const VALUES_OF_PAIR = 64

export function lintRules({ snapshot }: Linted): readonly Finding[] {
  const policies = snapshot.authorizationPolicies
  return [
    ...policies.flatMap((policy) => [...admitsEverybody(policy), ...tornInTwo(policy)]),
    ...compareRules(policies, snapshot.mesh.rootNamespace),
  ]
}

function admitsEverybody(policy: AuthorizationPolicy): readonly Finding[] {
  if (policy.action.kind !== 'ALLOW') return []
  return policy.rules.flatMap((rule, at) =>
    dimensionsOf(rule).length > 0
      ? []
      : [
          {
            ...placeOfRule(policy, at),
            code: 'allow-everybody',
            severity: 'info',
            what: 'the rule asks nothing and admits everybody, callers without an identity too; an empty list such as from: [] counts as absent',
            instead: 'write from, to or when unless that is meant',
          },
        ],
  )
}

type Dimension = 'from' | 'to' | 'when'

const dimensionsOf = (rule: Rule): readonly Dimension[] =>
  (['from', 'to', 'when'] as const).filter((name) => rule[name].length > 0)

/** Two rules in a row that share no dimension: a dash too many makes an OR of an AND. */
function tornInTwo(policy: AuthorizationPolicy): readonly Finding[] {
  return policy.rules.slice(1).flatMap((rule, index): Finding[] => {
    const before = policy.rules[index]
    const first = before === undefined ? [] : dimensionsOf(before)
    const second = dimensionsOf(rule)
    if (first.length === 0 || second.length === 0) return []
    if (first.some((name) => second.includes(name))) return []
    const isAllow = policy.action.kind === 'ALLOW'
    return [
      {
        ...placeOfRule(policy, index + 1),
        code: 'rules-split-by-dash',
        // Other actions only match more than was meant, which is noticed.
        severity: isAllow ? 'warning' : 'info',
        what: `rule ${index} asks for ${first.join(' and ')} alone and rule ${index + 1} for ${second.join(' and ')} alone, so either of them is enough${isAllow ? ' to be admitted' : ''}`,
        instead: `remove the dash before ${second[0]} if both must hold`,
      },
    ]
  })
}

interface Placed {
  readonly policy: AuthorizationPolicy
  readonly rule: Rule
  readonly at: number
  /** Position among all rules. */
  readonly rank: number
  /** How many sources, operations, conditions and values it has. */
  readonly weight: number
}

function weightOf({ from, to, when }: Rule): number {
  let weight = 0
  for (const one of [...from, ...to, ...when]) {
    weight += 1
    for (const values of Object.values(one)) if (Array.isArray(values)) weight += values.length
  }
  return weight
}

/** Dry-run policies are tried beside those in force, so repeating those is what they are for. */
function compareRules(all: readonly AuthorizationPolicy[], root: string): readonly Finding[] {
  const policies = all.filter(({ dryRun }) => !dryRun)
  let rank = 0
  const placed = new Map(
    policies.map((policy) => [
      policy,
      policy.rules.map(
        (rule, at): Placed => ({ policy, rule, at, rank: rank++, weight: weightOf(rule) }),
      ),
    ]),
  )
  const weights = new Map(
    [...placed].map(([policy, rules]) => [policy, rules.reduce((sum, one) => sum + one.weight, 0)]),
  )
  const findings: Finding[] = []
  let left = MAX_COMPARISONS
  // Only those of its own and of the root namespace reach a policy's workloads.
  const near = Map.groupBy(policies, ({ namespace }) => namespace)
  for (const narrow of policies) {
    const wider = [...new Set([root, narrow.namespace])]
      .flatMap((namespace) => near.get(namespace) ?? [])
      .filter((wide) => reachesAllOf(root, wide, narrow))
    for (const one of placed.get(narrow) ?? []) {
      for (const wide of wider) {
        const rivals = placed.get(wide) ?? []
        left -= rivals.length + (one.weight * (weights.get(wide) ?? 0)) / VALUES_OF_PAIR
        if (left < 0) return [...findings, tooMany(narrow, one.at)]
        const finding = rivals.map((other) => judge(other, one, root)).find((known) => known)
        if (finding === undefined) continue
        findings.push(finding)
        break
      }
    }
  }
  return findings
}

/** What `wide` makes of `narrow`, to whose workloads it applies. */
function judge(wide: Placed, narrow: Placed, root: string): Finding | undefined {
  if (wide === narrow) return undefined
  const isDenied = wide.policy.action.kind === 'DENY' && narrow.policy.action.kind === 'ALLOW'
  if (!isDenied && !isSameAction(wide.policy, narrow.policy)) return undefined
  if (!covers(wide, narrow)) return undefined
  const by = `rule ${wide.at} of ${nameOf(wide.policy)}`
  const place = placeOfRule(narrow.policy, narrow.at)
  if (isDenied) {
    return {
      ...place,
      code: 'allow-never-used',
      severity: 'error',
      what: `${by} denies whatever this rule would admit, and DENY comes first`,
      instead:
        'remove the DENY rule if it was meant as a default: where an ALLOW policy applies, all else is denied anyway',
    }
  }
  const isSame = covers(narrow, wide)
  // Of two that are the same to the same workloads, the second is told.
  if (isSame && reachesAllOf(root, narrow.policy, wide.policy) && wide.rank > narrow.rank) {
    return undefined
  }
  return {
    ...place,
    code: isSame ? 'rule-duplicate' : 'rule-shadowed',
    severity: 'warning',
    what: isSame ? `${by} says the same` : `${by} matches whatever this rule matches`,
    instead: isSame ? 'delete one of the two' : 'delete this rule, or narrow the other one',
  }
}

const covers = (wide: Placed, narrow: Placed): boolean =>
  ruleCovers(
    { namespace: wide.policy.namespace, rule: wide.rule },
    { namespace: narrow.policy.namespace, rule: narrow.rule },
  )

function isSameAction(one: AuthorizationPolicy, other: AuthorizationPolicy): boolean {
  if (one.action.kind !== 'CUSTOM') return one.action.kind === other.action.kind
  return other.action.kind === 'CUSTOM' && one.action.provider === other.action.provider
}

const tooMany = (policy: AuthorizationPolicy, at: number): Finding => ({
  ...placeIn('AuthorizationPolicy', policy, `spec.rules[${at}]`),
  rule: at,
  code: 'too-many-rules-to-compare',
  severity: 'info',
  what: `there are so many rules that from here on none was compared with the others (${MAX_COMPARISONS} pairs were)`,
  instead: 'analyze fewer policies at a time to find duplicates among them',
})
