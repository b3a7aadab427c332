/**
 * Makes a rule ready for a place. Where the place sees no requests, a rule that speaks of requests cannot be enforced
 * as written: an ALLOW rule is left out, so it admits nobody; of a DENY rule the rest is kept, so it denies more.
 * ztunnel's conversion differs in one case, kept because peers expect it: a DENY clause that has nothing left matches
 * nobody there.
 */
import {
  clausesOf,
  type Dialect,
  isHttpAttribute,
  OPERATION_ATTRIBUTES,
  SOURCE_ATTRIBUTES,
} from './attribute.ts'
import type { Condition, Operation, Rule, Source } from './authorization-policy.ts'
import type { Clause } from './clause.ts'
import { compiledRule, type PlacedRule } from './compiled-rule.ts'
import type { RuleName } from './verdict.ts'

/** A clause with the attribute that it is about. */
interface Written {
  readonly attribute: string
  readonly clauses: readonly Clause[]
}

interface WrittenRule {
  readonly from: readonly (readonly Written[])[]
  readonly to: readonly (readonly Written[])[]
  readonly when: readonly Written[]
}

/** At a sidecar or waypoint that sees requests: everything is enforced. */
export function placeOnRequests(rule: Rule, name: RuleName, dialect: Dialect): PlacedRule {
  const written = writtenRule(rule, dialect)
  return ready(name, written.from.map(clauses), written.to.map(clauses), clauses(written.when), [])
}

/** At a sidecar's TCP port. `widen`: the action is another than ALLOW. */
export function placeOnTcp(
  rule: Rule,
  name: RuleName,
  dialect: Dialect,
  widen: boolean,
): PlacedRule {
  const written = writtenRule(rule, dialect)
  const unseen = unseenIn(written, isHttpAttribute)
  if (unseen.length > 0 && !widen) {
    return { kind: 'left-out', name, why: `a TCP port has no ${unseen.join(', ')}` }
  }
  const rest = (alternative: readonly Written[]) =>
    clauses(alternative.filter(({ attribute }) => !isHttpAttribute(attribute)))
  return ready(
    name,
    written.from.map(rest),
    written.to.map(rest),
    rest(written.when),
    unseen.map((field) => `a TCP port has no ${field}, so the rule denies without looking at it`),
  )
}

/** Keys that ztunnel sees; everything else counts as a matter of requests. */
const ZTUNNEL_CONDITIONS = [
  'source.ip',
  'source.namespace',
  'source.principal',
  'destination.ip',
  'destination.port',
]

const isUnseenByZtunnel = (attribute: string): boolean =>
  isHttpAttribute(attribute) || attribute === 'remote.ip' || attribute === 'source.trustDomain'

/** At the node proxy. */
export function placeOnZtunnel(
  rule: Rule,
  name: RuleName,
  dialect: Dialect,
  action: 'ALLOW' | 'DENY',
): PlacedRule {
  const written = writtenRule(rule, dialect)
  const isUnseen = (attribute: string) => isUnseenByZtunnel(attribute)
  const conditions = written.when.filter(({ attribute }) => !ZTUNNEL_CONDITIONS.includes(attribute))
  const unseen = [
    ...unseenIn({ ...written, when: [] }, isUnseen),
    ...conditions.map(({ attribute }) => attribute),
  ]
  if (unseen.length > 0 && action === 'ALLOW') {
    return { kind: 'left-out', name, why: `ztunnel sees no ${unseen.join(', ')}` }
  }
  // What has nothing left matches nobody, unlike an alternative that asked nothing to begin with.
  const rest = (alternatives: readonly (readonly Written[])[]) =>
    alternatives
      .map((alternative) => clauses(alternative.filter(({ attribute }) => !isUnseen(attribute))))
      .filter((alternative) => alternative.length > 0)
  const from = rest(written.from)
  const to = rest(written.to)
  const isEmptied =
    conditions.length > 0 ||
    (written.from.length > 0 && from.length === 0) ||
    (written.to.length > 0 && to.length === 0)
  if (isEmptied) {
    const why = `ztunnel sees no ${unseen.join(', ')}, and a clause with nothing else matches nobody`
    return { kind: 'left-out', name, why }
  }
  const notes = unseen.map((field) => `ztunnel sees no ${field} and denies without looking at it`)
  return ready(name, from, to, clauses(written.when), notes)
}

const clauses = (alternative: readonly Written[]): readonly Clause[] =>
  alternative.flatMap((written) => written.clauses)

const ready = (
  name: RuleName,
  from: readonly (readonly Clause[])[],
  to: readonly (readonly Clause[])[],
  when: readonly Clause[],
  notes: readonly string[],
): PlacedRule => ({ kind: 'rule', rule: compiledRule({ name, from, to, when, notes }) })

/** Names of the fields that a place does not see, each once. */
function unseenIn(rule: WrittenRule, isUnseen: (attribute: string) => boolean): readonly string[] {
  const all = [...rule.from.flat(), ...rule.to.flat(), ...rule.when]
  return [...new Set(all.map(({ attribute }) => attribute).filter(isUnseen))]
}

function writtenRule(rule: Rule, dialect: Dialect): WrittenRule {
  return {
    from: rule.from.map((source, at) => writtenSource(source, `from[${at}].source`, dialect)),
    to: rule.to.map((to, at) => writtenOperation(to, `to[${at}].operation`, dialect)),
    when: rule.when.map((condition, at) => writtenCondition(condition, `when[${at}]`, dialect)),
  }
}

function writtenSource(source: Source, place: string, dialect: Dialect): readonly Written[] {
  return SOURCE_ATTRIBUTES.map(([field, negated, attribute]) => ({
    attribute,
    clauses: clausesOf(
      attribute,
      dialect,
      { field: `${place}.${field}`, values: source[field] },
      { field: `${place}.${negated}`, values: source[negated] },
    ),
  })).filter((written) => written.clauses.length > 0)
}

function writtenOperation(to: Operation, place: string, dialect: Dialect): readonly Written[] {
  return OPERATION_ATTRIBUTES.map(([field, negated, attribute]) => ({
    attribute,
    clauses: clausesOf(
      attribute,
      dialect,
      { field: `${place}.${field}`, values: to[field] },
      { field: `${place}.${negated}`, values: to[negated] },
    ),
  })).filter((written) => written.clauses.length > 0)
}

const writtenCondition = (condition: Condition, place: string, dialect: Dialect): Written => ({
  attribute: condition.key,
  clauses: clausesOf(
    condition.key,
    dialect,
    { field: `${place}.values of ${condition.key}`, values: condition.values },
    { field: `${place}.notValues of ${condition.key}`, values: condition.notValues },
  ),
})
