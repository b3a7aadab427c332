/**
 * Which programs can use a database, by the migrations that were carried out on it. Servers of one database are replaced
 * one by one, and back again, so each migration names the oldest program that can go on after it. A program goes on with a
 * database that is one such step ahead of it; anything else that it does not know is refused.
 */

export interface SchemaStep {
  readonly name: string
  /**
   * The newest migration that the oldest program knows which reads and writes what this one leaves behind: the one before
   * when this one only adds, this one itself when older programs must be gone.
   */
  readonly oldestReader: string
}

/** Carried out on a database, with its `oldestReader`; undefined when nothing was noted of it. */
export type DoneSteps = ReadonlyMap<string, string | undefined>

export type SchemaStanding =
  | { readonly kind: 'current' }
  | { readonly kind: 'behind'; readonly missing: readonly string[] }
  /** Of the next version, and this one can go on. */
  | { readonly kind: 'ahead'; readonly by: string }
  | { readonly kind: 'unreadable'; readonly unknown: readonly string[] }

/** What was tried with real servers is one version beside the next; how far two are apart nobody knows. */
const MAX_STEPS_AHEAD = 1

/** Fails closed: without a note that says otherwise, what is not known cannot be used. */
export function judgeSchema(known: readonly SchemaStep[], done: DoneSteps): SchemaStanding {
  const names = known.map(({ name }) => name)
  const unknown = [...done.keys()].filter((name) => !names.includes(name)).toSorted()
  const missing = names.filter((name) => !done.has(name))
  const [first] = unknown
  if (first === undefined) {
    return missing.length === 0 ? { kind: 'current' } : { kind: 'behind', missing }
  }
  const mayGoOn = unknown.every((name) => names.includes(done.get(name) ?? ''))
  // Steps that lack one of ours before them are of another history.
  return mayGoOn && missing.length === 0 && unknown.length <= MAX_STEPS_AHEAD
    ? { kind: 'ahead', by: first }
    : { kind: 'unreadable', unknown }
}

/** Whether a program that knows the first `count` of these steps can go on when all of them are done. */
export function canFollow(known: readonly SchemaStep[], count: number): boolean {
  const ahead = known.slice(count)
  const names = known.slice(0, count).map(({ name }) => name)
  return ahead.length <= MAX_STEPS_AHEAD && ahead.every((step) => names.includes(step.oldestReader))
}
