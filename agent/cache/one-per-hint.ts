/** A workload tells its identities apart by their hints, so no two that it gets have the same. @see Workload-API §5.2.1 */
import type { CachedEntry } from './entry.ts'

/** Of several entries with the same hint only the oldest stays, then the one with the lowest ID. Keeps the order. */
export function onePerHint(entries: readonly CachedEntry[]): readonly CachedEntry[] {
  const chosen = new Map<string, CachedEntry>()
  for (const entry of entries) {
    if (entry.hint === '') continue
    const rival = chosen.get(entry.hint)
    if (rival === undefined || isOlder(entry, rival)) chosen.set(entry.hint, entry)
  }
  return entries.filter((entry) => entry.hint === '' || chosen.get(entry.hint) === entry)
}

function isOlder(a: CachedEntry, b: CachedEntry): boolean {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt
  return a.entryId < b.entryId
}
