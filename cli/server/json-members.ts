/**
 * Members of JSON that an operator wrote. Names are compared without case, as Go does; what is absent or null
 * counts as empty, and a value of the wrong type is refused with its place.
 */
import { IdentityError } from '../../spiffe/error.ts'

/**
 * The members of an object by their lower-case names; the last of several counts.
 * @param names in lower case
 * @param unknown is given the places of all other members
 */
export function membersOf(
  value: unknown,
  place: string,
  names: readonly string[],
  unknown: string[],
): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(value, place, 'an object')
  }
  const members = new Map<string, unknown>()
  for (const [name, member] of Object.entries(value)) {
    if (names.includes(name.toLowerCase())) members.set(name.toLowerCase(), member)
    else unknown.push(place === '' ? name : `${place}.${name}`)
  }
  return members
}

export function listOf<T>(
  value: unknown,
  place: string,
  parse: (one: unknown, place: string) => T,
): T[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw wrongType(value, place, 'a list')
  return value.map((one, index) => parse(one, `${place}[${index}]`))
}

export function textOf(value: unknown, place: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw wrongType(value, place, 'text')
}

export function flagOf(value: unknown, place: string): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  throw wrongType(value, place, 'true or false')
}

export const INT32 = { max: 2 ** 31 - 1, name: 'a whole number of 32 bits' }
export const INT53 = { max: Number.MAX_SAFE_INTEGER, name: 'a whole number' }

export function wholeOf(value: unknown, place: string, { max, name }: typeof INT32): number {
  if (value === undefined || value === null) return 0
  const isWhole = typeof value === 'number' && Number.isInteger(value)
  if (isWhole && value <= max && value >= -max - 1) return value
  throw wrongType(value, place, name)
}

function wrongType(value: unknown, place: string, expected: string): IdentityError {
  const seen = Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value
  const shown = typeof value === 'number' ? String(value) : seen
  const where = place === '' ? 'the document' : place
  return new IdentityError('REQUEST_INVALID', `${where} is ${shown}, expected ${expected}`)
}
