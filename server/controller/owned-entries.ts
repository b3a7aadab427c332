/**
 * The entries that the controller owns: those whose ID begins with its prefix. Nothing else in the store is looked at,
 * let alone changed. Read once; then the change log of the store says what somebody else did to them.
 */
import type { Entry } from '../entries/entry.ts'
import { MAX_CHANGES } from '../store/change-log.ts'
import { eachPage } from '../store/page.ts'
import type { Store } from '../store/store.ts'
import { keyOf } from './plan.ts'

export interface OwnedEntries {
  of(key: string): readonly Entry[]
  readonly size: number
  keys(): Iterable<string>
  /** What a write of ours left there. */
  set(entry: Entry): void
  remove(id: string): void
  /** Reads what has changed since the last call, everything at the first. @throws IdentityError UNAVAILABLE */
  catchUp(): Promise<Caught>
}

export interface Caught {
  /** Keys of entries that somebody changed, and we did not. */
  readonly touched: ReadonlySet<string>
  /** A bundle was written or removed. */
  readonly hasNewBundles: boolean
}

export function createOwnedEntries(
  store: Pick<Store, 'entries' | 'changes'>,
  prefix: string,
): OwnedEntries {
  const byId = new Map<string, Entry>()
  const byKey = new Map<string, Map<string, Entry>>()
  let place: number | undefined

  const remove = (id: string): string | undefined => {
    const entry = byId.get(id)
    if (entry === undefined) return undefined
    byId.delete(id)
    const key = keyOf(entry)
    const same = byKey.get(key)
    same?.delete(id)
    if (same?.size === 0) byKey.delete(key)
    return key
  }
  const set = (entry: Entry): string => {
    remove(entry.id)
    byId.set(entry.id, entry)
    const key = keyOf(entry)
    const same = byKey.get(key)
    if (same === undefined) byKey.set(key, new Map([[entry.id, entry]]))
    else same.set(entry.id, entry)
    return key
  }

  const load = async (): Promise<Caught> => {
    const from = await store.changes.latest()
    const touched = new Set(byKey.keys())
    byId.clear()
    byKey.clear()
    for await (const page of eachPage((request) => store.entries.list({}, request))) {
      for (const entry of page) if (entry.id.startsWith(prefix)) touched.add(set(entry))
    }
    place = from
    return { touched, hasNewBundles: true }
  }

  const read = async (ids: readonly string[], touched: Set<string>): Promise<void> => {
    const found = new Map((await store.entries.findMany(ids)).map((entry) => [entry.id, entry]))
    for (const id of ids) {
      const [now, before] = [found.get(id), byId.get(id)]
      // Our own writes are known already.
      if (now?.revisionNumber === before?.revisionNumber && isSameBirth(now, before)) continue
      if (before !== undefined) touched.add(remove(id) ?? '')
      if (now !== undefined) touched.add(set(now))
    }
  }

  return {
    of: (key) => [...(byKey.get(key)?.values() ?? [])],
    get size() {
      return byId.size
    },
    keys: () => byKey.keys(),
    set: (entry) => void set(entry),
    remove: (id) => void remove(id),
    async catchUp() {
      if (place === undefined) return await load()
      const touched = new Set<string>()
      let hasNewBundles = false
      for (;;) {
        const after = await store.changes.after(place, MAX_CHANGES)
        if (after.kind === 'pruned') return await load()
        const last = after.changes.at(-1)
        if (last === undefined) return { touched, hasNewBundles }
        hasNewBundles ||= after.changes.some(({ kind }) => kind === 'bundle')
        const ids = after.changes.flatMap(({ kind, key }) =>
          kind === 'entry' && key.startsWith(prefix) ? [key] : [],
        )
        if (ids.length > 0) await read([...new Set(ids)], touched)
        place = last.sequence
      }
    },
  }
}

function isSameBirth(a: Entry | undefined, b: Entry | undefined): boolean {
  return a?.createdAt.getTime() === b?.createdAt.getTime()
}
