/**
 * Decides which X509-SVIDs the agent keeps, which it asks for now, and when to look again. Pure.
 *
 * @see SPIRE behaviour §3 — X.509 cache, when an SVID is stale
 */
import { isOfTheFuture, keepAtLeastMs } from '../renewal-time.ts'
import type { CachedEntry } from './entry.ts'
import { isServable, type X509Svid } from './x509-svid.ts'

export interface PlanInput {
  readonly entries: Iterable<CachedEntry>
  readonly svids: ReadonlyMap<string, X509Svid>
  /** Entries that some open stream waits for or is served from: never evicted. */
  readonly subscribed: ReadonlySet<string>
  /** Grows with every use of the entry; 0: never used. */
  lastUse(entryId: string): number
  /** After a failure an entry is left alone until then; undefined: there was none. */
  retryAt(entryId: string): number | undefined
  /** A soft limit: subscribed entries do not count against it. */
  readonly maxSvids: number
  readonly taintedKeyIds: ReadonlySet<string>
  readonly now: Date
}

export interface Plan {
  /** No SVID that could be served; those that a workload waits for come first. */
  readonly missing: readonly CachedEntry[]
  /** To be replaced, served meanwhile; those that end soonest come first. */
  readonly stale: readonly CachedEntry[]
  /** Entry IDs whose SVIDs are to be dropped. */
  readonly evicted: readonly string[]
  /** When the plan changes by itself, in Unix milliseconds, always later than now; undefined: never. */
  readonly nextAt: number | undefined
}

/** When one is renewed, so are those that would follow this soon: a workload then gets them in one update. */
const RENEW_TOGETHER_MS = 5_000

export function planSvids(input: PlanInput): Plan {
  const { svids, subscribed } = input
  const nowMs = input.now.getTime()
  const kept = keptEntries(input)
  const missing: CachedEntry[] = []
  const renewals: { readonly entry: CachedEntry; readonly dueMs: number }[] = []
  let nextAt = Number.POSITIVE_INFINITY
  const lookAgainAt = (ms: number) => {
    if (ms > nowMs && ms < nextAt) nextAt = ms
  }
  for (const entry of kept) {
    if (!entry.prefetch && !subscribed.has(entry.entryId)) continue // served while it lasts
    const retryMs = retryTime(entry, input)
    lookAgainAt(retryMs)
    const svid = svids.get(entry.entryId)
    if (isServable(svid, entry, input.now)) {
      const dueMs = Math.max(retryMs, whyDue(svid, entry, input).dueMs)
      lookAgainAt(dueMs)
      lookAgainAt(svid.expiresAt.getTime())
      renewals.push({ entry, dueMs })
    } else if (retryMs <= nowMs) missing.push(entry)
  }
  const untilMs = renewals.some(({ dueMs }) => dueMs <= nowMs)
    ? nowMs + RENEW_TOGETHER_MS
    : Number.NEGATIVE_INFINITY
  const stale = renewals.filter(({ dueMs }) => dueMs <= untilMs).map(({ entry }) => entry)
  const rank = (entry: CachedEntry) => (subscribed.has(entry.entryId) ? 0 : 1)
  const endOf = (entry: CachedEntry) => svids.get(entry.entryId)?.expiresAt.getTime() ?? 0
  const keptIds = new Set(kept.map(({ entryId }) => entryId))
  return {
    missing: missing.sort((a, b) => rank(a) - rank(b)),
    stale: stale.sort((a, b) => endOf(a) - endOf(b)),
    evicted: [...svids.keys()].filter((entryId) => !keptIds.has(entryId)),
    nextAt: nextAt === Number.POSITIVE_INFINITY ? undefined : nextAt,
  }
}

/** Nothing is left alone for longer: who seems to be was, before the clock was set back. */
const MAX_POSTPONED_MS = 60_000

function retryTime({ entryId }: CachedEntry, { retryAt, now }: PlanInput): number {
  const retryMs = retryAt(entryId) ?? Number.NEGATIVE_INFINITY
  return retryMs - now.getTime() > MAX_POSTPONED_MS ? Number.NEGATIVE_INFINITY : retryMs
}

/** What makes an SVID stale: who signed it, that the entry has changed, the clock that was set back, or its life. */
export type WhyDue = 'tainted' | 'outdated' | 'of-the-future' | 'expiring'

/** Why an SVID is to be replaced, and when it becomes stale, in Unix milliseconds; in the past when it already is. */
export function whyDue(
  svid: Pick<X509Svid, 'obtainedAt' | 'expiresAt' | 'renewAt' | 'revision' | 'authorityKeyIds'>,
  entry: Pick<CachedEntry, 'revision'>,
  { taintedKeyIds, now }: Pick<PlanInput, 'taintedKeyIds' | 'now'>,
): { readonly why: WhyDue; readonly dueMs: number } {
  const { obtainedAt, expiresAt } = svid
  const isTainted = svid.authorityKeyIds.some((id) => taintedKeyIds.has(id))
  const isOutdated = svid.revision !== entry.revision
  const isEarly = isOfTheFuture(obtainedAt, now)
  const earliestMs =
    isOutdated || isEarly
      ? Number.NEGATIVE_INFINITY
      : obtainedAt.getTime() + keepAtLeastMs(obtainedAt, expiresAt)
  if (isTainted) return { why: 'tainted', dueMs: earliestMs }
  if (isOutdated) return { why: 'outdated', dueMs: earliestMs }
  if (isEarly) return { why: 'of-the-future', dueMs: earliestMs }
  return { why: 'expiring', dueMs: Math.max(earliestMs, svid.renewAt.getTime()) }
}

/** Subscribed ones always; then, up to the limit, those used last, then those that have an SVID, then any. */
function keptEntries(input: PlanInput): readonly CachedEntry[] {
  const { subscribed, svids, maxSvids, now } = input
  const always: CachedEntry[] = []
  const maybe: CachedEntry[] = []
  for (const entry of input.entries) {
    if (entry.storeSvid) continue
    if (subscribed.has(entry.entryId)) always.push(entry)
    else if (entry.prefetch || isServable(svids.get(entry.entryId), entry, now)) maybe.push(entry)
  }
  const room = Math.max(0, maxSvids - always.length)
  if (maybe.length <= room) return [...always, ...maybe]
  const has = (entry: CachedEntry) => (svids.has(entry.entryId) ? 0 : 1)
  const use = (entry: CachedEntry) => input.lastUse(entry.entryId)
  maybe.sort((a, b) => use(b) - use(a) || has(a) - has(b))
  return [...always, ...maybe.slice(0, room)]
}
