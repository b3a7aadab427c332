/**
 * Decides what is to be done so that the entries the controller owns are those that the cluster declares. Pure. Entries
 * of others are none of its business: they are not among what it is given, and it never asks for the removal of one that
 * it was not given.
 */
import { sortSelectors } from '../../spiffe/selector.ts'
import type { Entry, EntryFields } from '../entries/entry.ts'

/** The object that declares an entry. */
export interface Source {
  readonly uid: string
  readonly createdAt: Date | undefined
  readonly deletedAt: Date | undefined
}

export interface Declared {
  readonly source: Source
  readonly fields: EntryFields
}

export type Step =
  | { readonly kind: 'create'; readonly declared: Declared }
  | { readonly kind: 'update'; readonly id: string; readonly declared: Declared }
  | { readonly kind: 'remove'; readonly id: string }

type Key = Pick<EntryFields, 'spiffeId' | 'parentId' | 'selectors'>

/** Entries of the same key are similar: the server keeps one of them only. */
export function keyOf({ spiffeId, parentId, selectors }: Key): string {
  return [spiffeId, parentId, ...sortSelectors(selectors)].join('\0')
}

/** What to do for one key. @param owned entries of this key that the controller made */
export function planKey(declared: readonly Declared[], owned: readonly Entry[]): readonly Step[] {
  const wanted = preferred(declared)
  const [kept, ...others] = owned.toSorted(byAge)
  const removals = (entries: readonly Entry[]): Step[] =>
    entries.map(({ id }) => ({ kind: 'remove', id }))
  if (kept === undefined) return wanted === undefined ? [] : [{ kind: 'create', declared: wanted }]
  if (wanted === undefined) return removals([kept, ...others])
  const update: Step[] = isAsDeclared(kept, wanted.fields)
    ? []
    : [{ kind: 'update', id: kept.id, declared: wanted }]
  return [...removals(others), ...update]
}

/** The same for all keys at once. */
export function plan(declared: Iterable<Declared>, owned: Iterable<Entry>): readonly Step[] {
  const wanted = Map.groupBy(declared, ({ fields }) => keyOf(fields))
  const present = Map.groupBy(owned, keyOf)
  return [...new Set([...present.keys(), ...wanted.keys()])].flatMap((key) =>
    planKey(wanted.get(key) ?? [], present.get(key) ?? []),
  )
}

/** The oldest object wins; one that is being deleted comes after those that are not. The others are masked. */
export function preferred(declared: readonly Declared[]): Declared | undefined {
  return declared.toSorted((a, b) => compareSources(a.source, b.source))[0]
}

function compareSources(a: Source, b: Source): number {
  const createdAt = (a.createdAt?.getTime() ?? 0) - (b.createdAt?.getTime() ?? 0)
  if (createdAt !== 0) return createdAt
  const forever = Number.MAX_SAFE_INTEGER
  const deletedAt = (b.deletedAt?.getTime() ?? forever) - (a.deletedAt?.getTime() ?? forever)
  if (deletedAt !== 0) return deletedAt
  return a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0
}

function byAge(a: Entry, b: Entry): number {
  const createdAt = a.createdAt.getTime() - b.createdAt.getTime()
  return createdAt !== 0 ? createdAt : a.id < b.id ? -1 : 1
}

/** The fields that an object of the cluster can say something about; the key's are equal anyway. */
function isAsDeclared(entry: EntryFields, declared: EntryFields): boolean {
  return (
    entry.x509SvidTtlSeconds === declared.x509SvidTtlSeconds &&
    entry.jwtSvidTtlSeconds === declared.jwtSvidTtlSeconds &&
    entry.admin === declared.admin &&
    entry.downstream === declared.downstream &&
    entry.storeSvid === declared.storeSvid &&
    entry.hint === declared.hint &&
    // The first one becomes the common name, so their order counts.
    entry.dnsNames.join('\0') === declared.dnsNames.join('\0') &&
    entry.federatesWith.toSorted().join('\0') === declared.federatesWith.toSorted().join('\0')
  )
}

/** What an update makes of the entry: what the cluster cannot declare stays as it is. */
export function asDeclared(entry: Entry, declared: EntryFields): EntryFields {
  const { expiresAt, disableX509SvidPrefetch, jwtSvidIncludeJti } = entry
  return { ...declared, expiresAt, disableX509SvidPrefetch, jwtSvidIncludeJti }
}
