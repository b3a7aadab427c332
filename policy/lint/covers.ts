/**
 * Does one rule match whatever another one matches? Says yes only when it is certain by the texts alone; in doubt no, so
 * that nothing is called superfluous that is not.
 */

import { OPERATION_ATTRIBUTES, SOURCE_ATTRIBUTES } from '../attribute.ts'
import type { Condition, Operation, Rule, Source } from '../authorization-policy.ts'
import { blockHolds, parseIpBlock } from '../ip-block.ts'
import { isPathTemplate } from '../path-template.ts'

/** A rule with the namespace that its service accounts are of where they name none. */
export interface OwnedRule {
  readonly namespace: string
  readonly rule: Rule
}

export function ruleCovers(wide: OwnedRule, narrow: OwnedRule): boolean {
  const sources = oneOfEach(wide.rule.from, narrow.rule.from, (one, other) =>
    sourceCovers(one, wide.namespace, other, narrow.namespace),
  )
  return (
    sources &&
    oneOfEach(wide.rule.to, narrow.rule.to, operationCovers) &&
    wide.rule.when.every((condition) =>
      narrow.rule.when.some((other) => conditionCovers(condition, other)),
    )
  )
}

/** Alternatives: each of the narrow ones must lie within a wide one; none at all match everything. */
function oneOfEach<T>(
  wide: readonly T[],
  narrow: readonly T[],
  covers: (wide: T, narrow: T) => boolean,
): boolean {
  if (wide.length === 0) return true
  return narrow.length > 0 && narrow.every((other) => wide.some((one) => covers(one, other)))
}

function sourceCovers(
  wide: Source,
  wideNamespace: string,
  narrow: Source,
  narrowNamespace: string,
): boolean {
  return SOURCE_ATTRIBUTES.every(([positive, negative, attribute]) => {
    const whole = (values: readonly string[], namespace: string) =>
      attribute === 'source.serviceAccount'
        ? values.map((name) => withNamespace(name, namespace))
        : values
    return fieldCovers(
      attribute,
      { has: whole(wide[positive], wideNamespace), not: whole(wide[negative], wideNamespace) },
      {
        has: whole(narrow[positive], narrowNamespace),
        not: whole(narrow[negative], narrowNamespace),
      },
    )
  })
}

const withNamespace = (account: string, namespace: string): string =>
  account.includes('/') ? account : `${namespace}/${account}`

const operationCovers = (wide: Operation, narrow: Operation): boolean =>
  OPERATION_ATTRIBUTES.every(([positive, negative, attribute]) =>
    fieldCovers(
      attribute,
      { has: wide[positive], not: wide[negative] },
      { has: narrow[positive], not: narrow[negative] },
    ),
  )

/** Accounts without a namespace are compared as they are written, which is right within one policy alone. */
function conditionCovers(wide: Condition, narrow: Condition): boolean {
  if (wide.key !== narrow.key) return false
  const isRelative = (values: readonly string[]) => values.some((value) => !value.includes('/'))
  if (wide.key === 'source.serviceAccount' && isRelative([...wide.values, ...wide.notValues])) {
    return wide === narrow
  }
  return fieldCovers(
    wide.key,
    { has: wide.values, not: wide.notValues },
    { has: narrow.values, not: narrow.notValues },
  )
}

interface Values {
  readonly has: readonly string[]
  readonly not: readonly string[]
}

function fieldCovers(attribute: string, wide: Values, narrow: Values): boolean {
  const covers = valueCover(attribute)
  const isWithin = (inner: readonly string[], outer: readonly string[]) => {
    const equal = new Set(outer)
    const patterns = isExact(attribute) ? [] : outer.filter((value) => /[*/]/.test(value))
    return inner.every(
      (value) => equal.has(value) || patterns.some((pattern) => covers(pattern, value)),
    )
  }
  const positive =
    wide.has.length === 0 || (narrow.has.length > 0 && isWithin(narrow.has, wide.has))
  return positive && isWithin(wide.not, narrow.not)
}

const IP_ATTRIBUTES = ['source.ip', 'remote.ip', 'destination.ip']

const isExact = (attribute: string): boolean =>
  attribute === 'destination.port' ||
  attribute === 'source.serviceAccount' ||
  attribute.startsWith('experimental.')

function valueCover(attribute: string): (wide: string, narrow: string) => boolean {
  if (IP_ATTRIBUTES.includes(attribute)) return blockCovers
  // Their stars stand for parts of the value, divided at a slash: only `*` covers others for certain.
  if (attribute === 'request.auth.principal') return (wide) => wide === '*'
  if (attribute === 'host') {
    return (wide, narrow) => textCovers(wide.toLowerCase(), narrow.toLowerCase())
  }
  return textCovers
}

function blockCovers(wide: string, narrow: string): boolean {
  const outer = parseIpBlock(wide)
  const inner = parseIpBlock(narrow)
  return (
    outer !== undefined &&
    inner !== undefined &&
    outer.bits <= inner.bits &&
    blockHolds(outer, inner)
  )
}

/** Stars at one end, as in a text set. Templates begin and end with the text that stands there. */
function textCovers(wide: string, narrow: string): boolean {
  if (wide === '*') return true
  if (isPathTemplate(wide)) return false
  if (wide.startsWith('*')) return !narrow.endsWith('*') && narrow.endsWith(wide.slice(1))
  if (wide.endsWith('*')) return !narrow.startsWith('*') && narrow.startsWith(wide.slice(0, -1))
  return false
}
