/**
 * Selectors: facts about a node or a workload, written `type:value`.
 * An entry matches a caller when all of the entry's selectors are among the caller's.
 */
import { IdentityError } from './error.ts'

declare const brand: unique symbol

/** `type:value`; the type has no colon, the value may have several. */
export type Selector = string & { readonly [brand]: 'Selector' }

/** @throws IdentityError SELECTOR_INVALID */
export function parseSelector(text: string): Selector {
  const colon = text.indexOf(':')
  if (colon === -1) {
    throw new IdentityError(
      'SELECTOR_INVALID',
      `selector ${JSON.stringify(text)} must be formatted as type:value`,
    )
  }
  return selector(text.slice(0, colon), text.slice(colon + 1))
}

/** Builds a selector from its two parts. @throws IdentityError SELECTOR_INVALID */
export function selector(type: string, value: string): Selector {
  if (type === '') throw new IdentityError('SELECTOR_INVALID', 'missing selector type')
  if (type.includes(':')) {
    throw new IdentityError('SELECTOR_INVALID', "selector type contains ':'")
  }
  if (value === '') throw new IdentityError('SELECTOR_INVALID', 'missing selector value')
  return `${type}:${value}` as Selector
}

export function selectorType(from: Selector): string {
  return from.slice(0, from.indexOf(':'))
}

export function selectorValue(from: Selector): string {
  return from.slice(from.indexOf(':') + 1)
}

/** Whether every one of `wanted` is among `present`. Nothing matches an empty `wanted`: that fails closed. */
export function isSatisfied(wanted: readonly Selector[], present: ReadonlySet<Selector>): boolean {
  return wanted.length > 0 && wanted.every((one) => present.has(one))
}

/** By type, then by value. Not the order of the texts: `a-b:x` comes before `a:x` there, because of its colon. */
export function sortSelectors(selectors: readonly Selector[]): readonly Selector[] {
  // Nothing comes before NUL, so that the shorter type is first.
  const keyOf = (one: Selector) => one.replace(':', '\0')
  return selectors.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0))
}
