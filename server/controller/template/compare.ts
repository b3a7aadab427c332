/** `eq` and its kin: only values of one basic kind compare, and nil is equal to nothing else. */
import { templateError } from './template-error.ts'
import { asNumber, asText, pointedTo, typeName, type Value } from './value.ts'

const BASIC: ReadonlySet<string> = new Set(['string', 'bool', 'int', 'float'])

/** @throws IdentityError when they cannot be compared */
export function isEqual(a: Value, b: Value): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b)
  mustCompare(a, b)
  return a.type.kind === 'bool' ? (a.data === true) === (b.data === true) : order(a, b) === 0
}

/** @returns below zero, zero or above. @throws IdentityError when they have no order */
export function compare(a: Value, b: Value): number {
  mustCompare(a, b)
  if (a.type.kind === 'bool') throw templateError('invalid type for comparison: bool')
  return order(a, b)
}

function isNil(value: Value): boolean {
  return value.type.kind === 'missing' || pointedTo(value) === undefined
}

function mustCompare(a: Value, b: Value): void {
  for (const { type } of [a, b]) {
    if (!BASIC.has(type.kind)) throw templateError(`non-comparable type ${typeName(type)}`)
  }
  if (a.type.kind !== b.type.kind) {
    const types = `${typeName(a.type)} and ${typeName(b.type)}`
    throw templateError(`incompatible types for comparison: ${types}`)
  }
}

function order(a: Value, b: Value): number {
  return a.type.kind === 'string'
    ? Buffer.compare(Buffer.from(asText(a)), Buffer.from(asText(b)))
    : asNumber(a) - asNumber(b)
}
