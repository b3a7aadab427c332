/**
 * Finds the entries that a workload's selectors satisfy without looking at all of them: each entry lies under one
 * of its selectors, so it is looked at once, and only for workloads that have that one.
 */
import { isSatisfied, type Selector } from '../../spiffe/selector.ts'
import type { CachedEntry } from './entry.ts'

export interface EntryIndex {
  put(entry: CachedEntry): void
  remove(entryId: string): void
  /**
   * In entry-ID order. Whoever has the same selectors in the same order gets the very same array, until an entry comes or goes:
   * what is made of it for one workload of a thousand that are alike can serve them all.
   */
  matching(selectors: ReadonlySet<Selector>): readonly CachedEntry[]
}

/** Kinds of callers, by their selectors, that are remembered between two changes of entries. */
const MAX_FOUND_KINDS = 4_096

export function createEntryIndex(): EntryIndex {
  const anchors = new Map<string, Selector>()
  const under = new Map<Selector, Map<string, CachedEntry>>()
  /** What was found, until an entry comes or goes. */
  let found = new Map<string, readonly CachedEntry[]>()
  const kinds = new WeakMap<ReadonlySet<Selector>, string>()
  const remove = (entryId: string) => {
    const anchor = anchors.get(entryId)
    if (anchor === undefined) return
    found = new Map()
    anchors.delete(entryId)
    const bucket = under.get(anchor)
    bucket?.delete(entryId)
    if (bucket?.size === 0) under.delete(anchor)
  }
  const find = (selectors: ReadonlySet<Selector>) => {
    const entries: CachedEntry[] = []
    for (const selector of selectors) {
      for (const entry of under.get(selector)?.values() ?? []) {
        if (isSatisfied(entry.selectors, selectors)) entries.push(entry)
      }
    }
    return entries.sort(byEntryId)
  }
  return {
    remove,
    put(entry) {
      remove(entry.entryId)
      const sizeOf = (selector: Selector) => under.get(selector)?.size ?? 0
      const [first, ...others] = entry.selectors
      if (first === undefined) return // an entry without selectors is for nobody
      found = new Map()
      const anchor = others.reduce((a, b) => (sizeOf(b) < sizeOf(a) ? b : a), first)
      const bucket = under.get(anchor) ?? new Map<string, CachedEntry>()
      bucket.set(entry.entryId, entry)
      under.set(anchor, bucket)
      anchors.set(entry.entryId, anchor)
    },
    matching(selectors) {
      let kind = kinds.get(selectors)
      if (kind === undefined) {
        kind = JSON.stringify([...selectors]) // no two different lists of selectors look the same in it
        kinds.set(selectors, kind)
      }
      let entries = found.get(kind)
      if (entries === undefined) {
        entries = find(selectors)
        if (found.size >= MAX_FOUND_KINDS) found.clear()
        found.set(kind, entries)
      }
      return entries
    },
  }
}

function byEntryId(a: CachedEntry, b: CachedEntry): number {
  return a.entryId < b.entryId ? -1 : a.entryId > b.entryId ? 1 : 0
}
