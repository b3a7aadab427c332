/**
 * Every list of values in the rules of a policy, with its place and its attribute: the fields of sources and operations and
 * the values of conditions are the same thing written in three ways.
 */
import { OPERATION_ATTRIBUTES, SOURCE_ATTRIBUTES } from '../attribute.ts'
import type {
  AuthorizationPolicy,
  Condition,
  Operation,
  Rule,
  Source,
} from '../authorization-policy.ts'
import {
  type Finding,
  type FindingCode,
  type FindingPlace,
  placeIn,
  type Severity,
} from './finding.ts'

export interface WrittenField {
  readonly policy: AuthorizationPolicy
  /** Position in `spec.rules`, from 0. */
  readonly rule: number
  /** E.g. `spec.rules[0].from[0].source.notPrincipals`. */
  readonly field: string
  /** Under the name of `when` keys; `host`, `method` and `path` beside them. */
  readonly attribute: string
  readonly negated: boolean
  /** Never empty. */
  readonly values: readonly string[]
}

export const fieldsOfPolicy = (policy: AuthorizationPolicy): readonly WrittenField[] =>
  policy.rules.flatMap((rule, at) => fieldsOfRule(policy, rule, at))

export function fieldsOfRule(
  policy: AuthorizationPolicy,
  rule: Rule,
  at: number,
): readonly WrittenField[] {
  const about = { policy, rule: at }
  const place = `spec.rules[${at}]`
  return [
    ...rule.from.flatMap((source, index) =>
      fieldsOfSource(source, `${place}.from[${index}].source`),
    ),
    ...rule.to.flatMap((operation, index) =>
      fieldsOfOperation(operation, `${place}.to[${index}].operation`),
    ),
    ...rule.when.flatMap((condition, index) =>
      fieldsOfCondition(condition, `${place}.when[${index}]`),
    ),
  ].map((field) => ({ ...about, ...field }))
}

type BareField = Omit<WrittenField, 'policy' | 'rule'>

function fieldsOfSource(source: Source, place: string): readonly BareField[] {
  return SOURCE_ATTRIBUTES.flatMap(([positive, negative, attribute]) => [
    { field: `${place}.${positive}`, attribute, negated: false, values: source[positive] },
    { field: `${place}.${negative}`, attribute, negated: true, values: source[negative] },
  ]).filter(hasValues)
}

export function fieldsOfOperation(operation: Operation, place: string): readonly BareField[] {
  return OPERATION_ATTRIBUTES.flatMap(([positive, negative, attribute]) => [
    { field: `${place}.${positive}`, attribute, negated: false, values: operation[positive] },
    { field: `${place}.${negative}`, attribute, negated: true, values: operation[negative] },
  ]).filter(hasValues)
}

function fieldsOfCondition(
  { key, values, notValues }: Condition,
  place: string,
): readonly BareField[] {
  return [
    { field: `${place}.values`, attribute: key, negated: false, values },
    { field: `${place}.notValues`, attribute: key, negated: true, values: notValues },
  ].filter(hasValues)
}

const hasValues = ({ values }: BareField): boolean => values.length > 0

export const placeOf = ({ policy, rule, field }: WrittenField): FindingPlace => ({
  ...placeIn('AuthorizationPolicy', policy, field),
  rule,
})

export const placeOfRule = (policy: AuthorizationPolicy, rule: number): FindingPlace => ({
  ...placeIn('AuthorizationPolicy', policy, `spec.rules[${rule}]`),
  rule,
})

/** A finding about one field. */
export const found = (
  field: WrittenField,
  code: FindingCode,
  severity: Severity,
  what: string,
  instead: string,
): Finding => ({ ...placeOf(field), code, severity, what, instead })

/** What comes of values that nothing ever has: the field never matches, or its negation always holds. */
export function effectOfNoMatch({ policy: { action }, negated }: WrittenField): string {
  switch (action.kind) {
    case 'ALLOW':
      return negated ? 'keeps nobody out' : 'admits nobody'
    case 'DENY':
      return negated ? 'exempts nobody' : 'denies nobody'
    case 'AUDIT':
      return negated ? 'passes over nobody' : 'marks nobody'
    case 'CUSTOM':
      return negated ? 'spares nobody the provider' : 'asks the provider about nobody'
    default:
      return action satisfies never
  }
}

/** Does a value that fails to match let somebody pass whom its author wanted kept out? */
export const opensWhenUnmatched = ({ policy: { action }, negated }: WrittenField): boolean =>
  action.kind === 'ALLOW' ? negated : !negated && action.kind !== 'AUDIT'
