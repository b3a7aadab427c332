/**
 * Everything the agent holds for workloads: what the server told it, the X509-SVIDs, and who is waiting. Serving
 * reads only from here, so it goes on while the server is away.
 */
import type { Clock } from '../../spiffe/clock.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { taintedKeyIds } from '../tainted-keys.ts'
import type { CachedEntry } from './entry.ts'
import { createEntryIndex } from './entry-index.ts'
import { apply, type Knowledge, type Update } from './knowledge.ts'
import { createNews, type News } from './news.ts'
import { onePerHint } from './one-per-hint.ts'
import { type Plan, planSvids } from './svid-plan.ts'
import { isServable, type X509Svid } from './x509-svid.ts'

export interface WorkloadCache {
  /** Entries, bundles or SVIDs have changed. */
  readonly news: News
  /** Somebody came for whom there may be an SVID to fetch. */
  readonly demand: News
  knowledge(): Knowledge
  svids(): ReadonlyMap<string, X509Svid>
  apply(update: Update): void
  /** All entries that are satisfied by these selectors, in entry-ID order. */
  matching(selectors: ReadonlySet<Selector>): readonly CachedEntry[]
  /** The entries to be served to a workload, in entry-ID order, one for each hint. */
  served(selectors: ReadonlySet<Selector>): readonly CachedEntry[]
  /** The SVID of an entry, unless it must not be handed out now. */
  servable(entry: CachedEntry): X509Svid | undefined
  /** Those of all these entries, in their order; undefined while one of them has none that may be handed out. */
  allServable(entries: readonly CachedEntry[]): readonly X509Svid[] | undefined
  /** While it is held, the entries of these selectors have or get SVIDs. */
  subscribe(selectors: ReadonlySet<Selector>): Disposable
  plan(): Plan
  drop(entryIds: readonly string[]): void
  /** SVIDs of entries that have gone meanwhile are ignored. */
  store(svids: readonly X509Svid[]): void
  /** No SVID for this entry for now. */
  postpone(entryId: string, untilMs: number): void
}

export interface WorkloadCacheOptions {
  readonly clock: Clock
  readonly maxSvids: number
  readonly known: Knowledge
  readonly svids: readonly X509Svid[]
  /** Told of each update that says something of entries, also when it changes none. */
  readonly onEntries?: (change: EntryChange) => void
}

/** How many entries one update has changed. */
export interface EntryChange {
  readonly added: number
  readonly updated: number
  readonly removed: number
}

export function createWorkloadCache(options: WorkloadCacheOptions): WorkloadCache {
  const { clock, maxSvids } = options
  const [news, demand] = [createNews(), createNews()]
  const index = createEntryIndex()
  const svids = new Map<string, X509Svid>()
  const subscriptions = new Set<{ readonly selectors: ReadonlySet<Selector> }>()
  const uses = new Map<string, number>()
  const retries = new Map<string, number>()
  let known = options.known
  let useCount = 0
  /** Several ask at the same news; it costs milliseconds where there are thousands of entries. */
  let planned: { readonly plan: Plan; readonly atMs: number } | undefined
  const indexEntry = (entry: CachedEntry) => (entry.storeSvid ? undefined : index.put(entry))
  for (const entry of known.entries.values()) indexEntry(entry)
  for (const svid of options.svids)
    if (known.entries.has(svid.entryId)) svids.set(svid.entryId, svid)

  const chosen = new WeakMap<readonly CachedEntry[], readonly CachedEntry[]>()
  /** The very same array for the very same matches. */
  const served = (selectors: ReadonlySet<Selector>) => {
    const matching = index.matching(selectors)
    let entries = chosen.get(matching)
    if (entries === undefined) {
      entries = onePerHint(matching)
      chosen.set(matching, entries)
    }
    return entries
  }
  const use = (selectors: ReadonlySet<Selector>) => {
    useCount += 1
    planned = undefined
    for (const { entryId } of index.matching(selectors)) uses.set(entryId, useCount)
  }
  const forget = (entryId: string) => {
    index.remove(entryId)
    svids.delete(entryId)
    uses.delete(entryId)
    retries.delete(entryId)
  }
  const servableAt = (now: Date, entry: CachedEntry) => {
    const svid = svids.get(entry.entryId)
    return isServable(svid, entry, now) ? svid : undefined
  }
  const servable = (entry: CachedEntry) => servableAt(clock.now(), entry)
  const subscribed = () => {
    // Those who are alike have the very same array.
    const matching = new Set([...subscriptions].map(({ selectors }) => index.matching(selectors)))
    return new Set([...matching].flatMap((entries) => entries.map(({ entryId }) => entryId)))
  }
  const make = (now: Date) =>
    planSvids({
      entries: known.entries.values(),
      svids,
      subscribed: subscribed(),
      lastUse: (entryId) => uses.get(entryId) ?? 0,
      retryAt: (entryId) => retries.get(entryId),
      maxSvids,
      taintedKeyIds: taintedKeyIds(known.bundle),
      now,
    })
  return {
    news,
    demand,
    knowledge: () => known,
    svids: () => svids,
    apply(update) {
      const before = known.entries
      const { knowledge, changedEntryIds, bundlesChanged } = apply(known, update)
      known = knowledge
      if (update.kind !== 'bundles')
        options.onEntries?.(changeOf(changedEntryIds, before, known.entries))
      planned = undefined
      for (const entryId of changedEntryIds) {
        const entry = known.entries.get(entryId)
        if (entry === undefined) {
          forget(entryId)
          continue
        }
        index.remove(entryId)
        indexEntry(entry)
        retries.delete(entryId) // what failed may have been put right
      }
      if (changedEntryIds.size > 0 || bundlesChanged) news.tell()
    },
    matching: index.matching,
    served,
    servable,
    allServable(entries) {
      const now = clock.now()
      const all: X509Svid[] = []
      for (const entry of entries) {
        const svid = servableAt(now, entry)
        if (svid === undefined) return undefined
        all.push(svid)
      }
      return all
    },
    subscribe(selectors) {
      const subscription = { selectors }
      subscriptions.add(subscription)
      use(selectors)
      // Those who are served already cost the others nothing; what is not prefetched is not looked after until now.
      if (!index.matching(selectors).every((entry) => entry.prefetch && servable(entry)))
        demand.tell()
      return {
        [Symbol.dispose]() {
          if (subscriptions.delete(subscription)) use(selectors)
        },
      }
    },
    plan() {
      const now = clock.now()
      const nowMs = now.getTime()
      if (planned === undefined || !isStill(planned, nowMs))
        planned = { plan: make(now), atMs: nowMs }
      return planned.plan
    },
    drop(entryIds) {
      planned = undefined
      for (const entryId of entryIds) svids.delete(entryId)
      if (entryIds.length > 0) news.tell()
    },
    store(obtained) {
      planned = undefined
      for (const svid of obtained) {
        if (!known.entries.has(svid.entryId)) continue
        svids.set(svid.entryId, svid)
        retries.delete(svid.entryId)
      }
      if (obtained.length > 0) news.tell()
    },
    postpone(entryId, untilMs) {
      planned = undefined
      if (known.entries.has(entryId)) retries.set(entryId, untilMs)
    },
  }
}

function changeOf(
  changedIds: ReadonlySet<string>,
  before: Knowledge['entries'],
  after: Knowledge['entries'],
): EntryChange {
  const ids = [...changedIds]
  const added = ids.filter((entryId) => !before.has(entryId)).length
  const removed = ids.filter((entryId) => !after.has(entryId)).length
  return { added, removed, updated: ids.length - added - removed }
}

/** A plan holds for its moment; one that asks for nothing, until it would change by itself. */
function isStill(
  { plan, atMs }: { readonly plan: Plan; readonly atMs: number },
  nowMs: number,
): boolean {
  if (nowMs === atMs) return true
  const isIdle = plan.missing.length + plan.stale.length + plan.evicted.length === 0
  return isIdle && nowMs > atMs && nowMs < (plan.nextAt ?? Number.POSITIVE_INFINITY)
}
