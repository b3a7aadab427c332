/**
 * What has to be done so that the entries are as a file declares them. Only what belongs to the owner of the file is
 * ever changed or deleted; where somebody else's entry is in the way, that is a conflict and nothing is done.
 */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { type Declaration, type Declared, owns, similarityOf } from './declaration.ts'
import { changesBetween, type FieldChange } from './entry-changes.ts'

export interface Plan {
  readonly create: readonly Entry[]
  readonly update: readonly Update[]
  readonly delete: readonly Entry[]
  readonly conflicts: readonly Conflict[]
  readonly unchanged: readonly Entry[]
  /** Of the owner, in no file, and left alone because nobody asked to prune. */
  readonly kept: readonly Entry[]
}

export interface Update {
  readonly entry: Entry
  readonly changes: readonly FieldChange[]
}

/** Two entries that a server does not take side by side. */
export interface Conflict {
  readonly wanted: Entry
  readonly existing: Entry
}

export interface PlanOptions {
  /** Delete entries of the owner that the file does not name. */
  readonly prune: boolean
}

export function planEntries(
  { owner, entries: declared }: Declaration,
  existing: readonly Entry[],
  { prune }: PlanOptions,
): Plan {
  const owned = existing.filter((entry) => owns(owner, entry))
  const matches = matchOwned(declared, owned)
  const matchedIds = new Set([...matches.values()].map(({ id }) => id))
  const left = owned.filter(({ id }) => !matchedIds.has(id))
  const going = new Set(prune ? left.map(({ id }) => id) : [])
  // Whatever is about to go, or to become another, is in nobody's way.
  const inTheWay = new Map(
    existing
      .filter(({ id }) => !going.has(id) && !matchedIds.has(id))
      .map((entry) => [similarityOf(entry), entry] as const),
  )
  const create: Entry[] = []
  const update: Update[] = []
  const unchanged: Entry[] = []
  const conflicts: Conflict[] = []
  for (const one of declared) {
    const match = matches.get(one)
    const entry = match === undefined ? one.entry : { ...one.entry, id: match.id }
    const other = inTheWay.get(similarityOf(entry))
    const changes = match === undefined ? undefined : changesBetween(match, entry)
    if (other !== undefined && !isInPlace(match, entry)) {
      conflicts.push({ wanted: entry, existing: other })
    } else if (changes === undefined) create.push(entry)
    else if (changes.length === 0) unchanged.push(entry)
    else update.push({ entry, changes })
  }
  const sides = prune ? { delete: left, kept: [] } : { delete: [], kept: left }
  return { create, update, unchanged, conflicts, ...sides }
}

/** An entry that keeps its place was there beside the other already: a server took both. */
function isInPlace(match: Entry | undefined, entry: Entry): boolean {
  return match !== undefined && similarityOf(match) === similarityOf(entry)
}

/** By its ID; one without an ID of its own also by what makes it similar, so that it is not made anew. */
function matchOwned(
  declared: readonly Declared[],
  owned: readonly Entry[],
): ReadonlyMap<Declared, Entry> {
  const byId = new Map(owned.map((entry) => [entry.id, entry]))
  const matches = new Map<Declared, Entry>()
  for (const one of declared) {
    const match = byId.get(one.entry.id)
    if (match === undefined) continue
    matches.set(one, match)
    byId.delete(match.id)
  }
  const bySimilarity = new Map([...byId.values()].map((entry) => [similarityOf(entry), entry]))
  for (const one of declared) {
    const match = bySimilarity.get(similarityOf(one.entry))
    if (matches.has(one) || one.isIdChosen || match === undefined) continue
    matches.set(one, match)
  }
  return matches
}

export function isDone({ create, update, delete: gone, conflicts }: Plan): boolean {
  return [create, update, gone, conflicts].every(({ length }) => length === 0)
}

export type Step =
  | { readonly kind: 'delete'; readonly entries: readonly Entry[] }
  | { readonly kind: 'update'; readonly entries: readonly Entry[] }
  | { readonly kind: 'create'; readonly entries: readonly Entry[] }

/**
 * The order in which a server takes it all. What makes room goes first; everything else is deleted last, so that no
 * workload is without an identity between its old entry and its new one.
 */
export function stepsOf({ create, update, delete: gone }: Plan): readonly Step[] {
  const wanted = new Set([...create, ...update.map(({ entry }) => entry)].map(similarityOf))
  const first = gone.filter((entry) => wanted.has(similarityOf(entry)))
  const last = gone.filter((entry) => !wanted.has(similarityOf(entry)))
  const steps: readonly Step[] = [
    { kind: 'delete', entries: first },
    { kind: 'update', entries: update.map(({ entry }) => entry) },
    { kind: 'create', entries: create },
    { kind: 'delete', entries: last },
  ]
  return steps.filter(({ entries }) => entries.length > 0)
}
