/**
 * Reads a configuration tree by a declared list of keys and reports every mistake there is: unknown
 * and repeated keys, wrong values, missing ones, and keys of SPIRE that are not implemented. No key
 * is ever ignored silently.
 */
import { addMistake, type Report } from './mistake.ts'
import { nearest } from './nearest.ts'
import { type ConfigNode, type Member, membersOf, type Place, showKind } from './tree.ts'

export interface Context {
  readonly report: Report
  /** Reads another file that the configuration names. Throws IdentityError CONFIG_INVALID. */
  readonly readText: (path: string) => string
}

/** What is being read: its dotted name, and the place to blame when nothing is written. */
export interface Spot {
  readonly name: string
  readonly place: Place
}

/** How to read all the occurrences of one key. */
export interface Rule<T> {
  /** For messages and tables: `a duration such as 1h30m`. */
  readonly expected: string
  readonly unit?: string | undefined
  /** Undefined when nothing is written, or a mistake was reported. */
  readonly read: (found: readonly Member[], spot: Spot, context: Context) => T | undefined
}

export interface Key<T> {
  readonly rule: Rule<unknown>
  /** One line for people. */
  readonly about: string
  /** The default as it would be written, if there is one. */
  readonly fallback: string | undefined
  /** `implemented`, or the reason why a value other than the default is refused. */
  readonly status: string
  readonly read: (found: readonly Member[], spot: Spot, context: Context) => T
}

export type Keys = Readonly<Record<string, Key<unknown>>>

const PLACES = Symbol('places')

/** The values of a section. Meaningless once a mistake was reported: throw before using them. */
export type Read<S extends Keys> = {
  readonly [K in keyof S]: S[K] extends Key<infer T> ? T : never
} & { readonly [PLACES]: (key: string) => Place }

export interface Section<S extends Keys> extends Rule<Read<S>> {
  readonly keys: S
}

/** Values that may be missing because a mistake in them was reported. */
export type Unsure<T> = {
  readonly [K in keyof T]: K extends typeof PLACES ? T[K] : T[K] | undefined
}

/** Where a key is written, or its section when it is not. */
export function placeOf(read: { readonly [PLACES]: (key: string) => Place }, key: string): Place {
  return read[PLACES](key)
}

export function optional<T>(rule: Rule<T>, about: string): Key<T | undefined> {
  return { rule, about, fallback: undefined, status: 'implemented', read: rule.read }
}

/** @param fallback the default, written as in a file: what the table shows is what is used */
export function withDefault<T>(rule: Rule<T>, fallback: string, about: string): Key<T> {
  return {
    ...optional(rule, about),
    fallback,
    read: (found, spot, context) => {
      const mistakes = context.report.mistakes.length
      const value = rule.read(found, spot, context)
      if (value !== undefined || context.report.mistakes.length > mistakes) return value as T
      const written = { key: '', value: defaultNode(fallback, spot.place), place: spot.place }
      // Only a mistake leaves a value undefined, and then nobody uses it (see Read).
      return rule.read([written], spot, context) as T
    },
  }
}

function defaultNode(fallback: string, place: Place): ConfigNode {
  if (fallback === '[]') return { kind: 'list', items: [], place }
  if (fallback === 'true' || fallback === 'false') {
    return { kind: 'bool', value: fallback === 'true', place }
  }
  return { kind: 'string', value: fallback, place }
}

export function required<T>(rule: Rule<T>, about: string): Key<T> {
  return {
    ...optional(rule, about),
    fallback: 'required',
    read: (found, spot, context) => {
      const mistakes = context.report.mistakes.length
      const value = rule.read(found, spot, context)
      if (value === undefined && context.report.mistakes.length === mistakes) {
        addMistake(context.report, spot.place, `${spot.name} is missing`, rule.expected)
      }
      // Only a mistake leaves a value undefined, and then nobody uses it (see Read).
      return value as T
    },
  }
}

/** A key that is there for its members: read even from nothing, so that their defaults apply. */
export function nest<T>(rule: Rule<T> & { readonly keys: Keys }, about: string): Key<T> {
  // Only a mistake leaves it undefined, and then nobody uses it (see Read).
  return { ...optional(rule, about), read: (...args) => rule.read(...args) as T }
}

/**
 * An object with these keys, matched in any case as SPIRE does. Several occurrences are read as
 * one, as SPIRE does too; a key inside that comes twice is a mistake.
 */
export function section<S extends Keys>(keys: S): Section<S> {
  const names = new Map(Object.keys(keys).map((name) => [name.toLowerCase(), name]))
  return {
    keys,
    expected: 'an object',
    read: (found, spot, context) => {
      // A section that only flags write is blamed at its file.
      const place = found.find((one) => one.place.kind === 'file')?.place ?? spot.place
      const members = allMembers(found, spot, context)
      const groups = Map.groupBy(members, ({ key }) => names.get(key.toLowerCase()))
      for (const unknown of groups.get(undefined) ?? []) {
        reportUnknown(unknown, spot.name, Object.keys(keys), context)
      }
      const values = Object.entries(keys).map(([name, key]) => {
        const inner = { name: spot.name === '' ? name : `${spot.name}.${name}`, place }
        return [name, key.read(groups.get(name) ?? [], inner, context)]
      })
      const placeOfKey = (key: string) => groups.get(key)?.[0]?.place ?? place
      // Each value was read by the key of its own name.
      return { ...Object.fromEntries(values), [PLACES]: placeOfKey } as Read<S>
    },
  }
}

/** A section with a check across its keys, which adds what it makes of them. */
export function refine<S extends Keys, T extends object>(
  rule: Section<S>,
  next: (read: Unsure<Read<S>>, context: Context) => T | undefined,
): Rule<Read<S> & T> & { readonly keys: S } {
  return {
    ...rule,
    read: (found, spot, context) => {
      const read = rule.read(found, spot, context)
      if (read === undefined) return undefined
      // Unsure<T> is T with undefined allowed, which the compiler cannot see for a generic T.
      const added = next(read as Unsure<Read<S>>, context)
      return added === undefined ? undefined : { ...read, ...added }
    },
  }
}

/** The members of every occurrence; what is no object is reported and left out. */
export function allMembers(found: readonly Member[], spot: Spot, context: Context): Member[] {
  return found.flatMap(({ value, place }) => {
    const members = membersOf(value)
    if (members === undefined) {
      addMistake(context.report, place, `${spot.name} is ${showKind(value)}`, 'an object')
    }
    return members ?? []
  })
}

export function reportUnknown(
  member: Member,
  parent: string,
  candidates: Iterable<string>,
  { report }: Context,
): void {
  const meant = nearest(member.key, candidates)
  const where = parent === '' ? 'at the top level' : `in ${parent}`
  const message = `unknown key ${JSON.stringify(member.key)} ${where}`
  addMistake(
    report,
    member.place,
    meant === undefined ? message : `${message} (did you mean ${JSON.stringify(meant)}?)`,
  )
}

/** Reports every occurrence after the first. */
export function reportRepeated(found: readonly Member[], spot: Spot, { report }: Context): void {
  for (const { place } of found.slice(1)) {
    addMistake(report, place, `${spot.name} is written more than once`, 'one of them')
  }
}
