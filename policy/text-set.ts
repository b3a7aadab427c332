/**
 * A list of values as policies write them: `abc`, `abc*`, `*abc`, `*`. A star anywhere else is an ordinary character.
 */

export interface TextSet {
  readonly exact: readonly string[]
  /** The same once more when they are many; comparing a few costs less than looking one up. */
  readonly many: ReadonlySet<string> | undefined
  readonly prefixes: readonly string[]
  readonly suffixes: readonly string[]
  /** `*` is among the values: any text that is not empty. */
  readonly any: boolean
}

/** The first test is for a star at the beginning, so `*a*` is the suffix `a*`. */
export function textSet(values: readonly string[]): TextSet {
  const ends = values.filter((value) => value !== '*')
  const exact = ends.filter((value) => !value.startsWith('*') && !value.endsWith('*'))
  return {
    any: ends.length < values.length,
    suffixes: ends.filter((value) => value.startsWith('*')).map((value) => value.slice(1)),
    prefixes: ends
      .filter((value) => !value.startsWith('*') && value.endsWith('*'))
      .map((value) => value.slice(0, -1)),
    exact,
    many: exact.length > MAX_LIST ? new Set(exact) : undefined,
  }
}

/** Values that are compared one by one. */
const MAX_LIST = 8

/** `setHolds` for one set. Most sets have one value, and comparing that one needs no lists. */
export function setTest(set: TextSet): (text: string) => boolean {
  const [exact, prefix, suffix] = [set.exact[0], set.prefixes[0], set.suffixes[0]]
  const count = set.exact.length + set.prefixes.length + set.suffixes.length
  if (!set.any && count === 1) {
    if (exact !== undefined) return (text) => text === exact
    if (prefix !== undefined) return (text) => text.startsWith(prefix)
    if (suffix !== undefined) return (text) => text.endsWith(suffix)
  }
  return (text) => setHolds(set, text)
}

function setHolds(set: TextSet, text: string): boolean {
  if (set.any && text !== '') return true
  if (set.many === undefined ? set.exact.includes(text) : set.many.has(text)) return true
  for (const prefix of set.prefixes) if (text.startsWith(prefix)) return true
  for (const suffix of set.suffixes) if (text.endsWith(suffix)) return true
  return false
}

/** What an index may look a rule up by: nothing but texts of this form can match. */
export interface Key {
  readonly kind: 'exact' | 'prefix' | 'suffix'
  readonly text: string | number
}

/** Undefined when every text, or nearly so, matches. */
export function keysOf(set: TextSet): readonly Key[] | undefined {
  if (set.any) return undefined
  return [
    ...[...set.exact].map((text) => ({ kind: 'exact', text }) as const),
    ...set.prefixes.map((text) => ({ kind: 'prefix', text }) as const),
    ...set.suffixes.map((text) => ({ kind: 'suffix', text }) as const),
  ]
}
