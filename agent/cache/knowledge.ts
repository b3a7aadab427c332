/** All that the server has told the agent, and how news changes it: pure, and the same for every way news comes. */
import { isDeepStrictEqual } from 'node:util'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { CachedEntry } from './entry.ts'

export interface Knowledge {
  readonly entries: ReadonlyMap<string, CachedEntry>
  readonly bundle: Bundle
  readonly federated: ReadonlyMap<TrustDomain, Bundle>
}

export type Update =
  /** Everything the agent is authorized for; what is not in it is gone. */
  | {
      readonly kind: 'snapshot'
      readonly entries: readonly CachedEntry[]
      readonly bundle: Bundle | undefined
      readonly federated: FederatedBundles | undefined
    }
  | {
      readonly kind: 'changes'
      readonly entries: readonly CachedEntry[]
      readonly removedEntryIds: readonly string[]
      readonly bundle: Bundle | undefined
      readonly federated: FederatedBundles | undefined
    }
  /** The bundles alone; entries stay as they are. */
  | {
      readonly kind: 'bundles'
      readonly bundle: Bundle | undefined
      readonly federated: FederatedBundles | undefined
    }

/** All that there are; what is not in it is gone. */
export type FederatedBundles = ReadonlyMap<TrustDomain, Bundle>

export interface Applied {
  readonly knowledge: Knowledge
  /** New, changed or removed. */
  readonly changedEntryIds: ReadonlySet<string>
  readonly bundlesChanged: boolean
}

/** What is equal to what was known stays the same object, so that nobody takes it for news. */
export function apply(known: Knowledge, update: Update): Applied {
  const { entries, changedEntryIds } = applyEntries(known.entries, update)
  const bundle = update.bundle === undefined ? known.bundle : keepEqual(known.bundle, update.bundle)
  const federated = applyFederated(known.federated, update.federated ?? known.federated, entries)
  const bundlesChanged = bundle !== known.bundle || federated !== known.federated
  return { knowledge: { entries, bundle, federated }, changedEntryIds, bundlesChanged }
}

function applyEntries(
  known: Knowledge['entries'],
  update: Update,
): { readonly entries: Knowledge['entries']; readonly changedEntryIds: ReadonlySet<string> } {
  if (update.kind === 'bundles') return { entries: known, changedEntryIds: new Set() }
  const entries = new Map(update.kind === 'snapshot' ? [] : known)
  const changedEntryIds = new Set<string>()
  for (const entry of update.entries) {
    const before = known.get(entry.entryId)
    const isSame = before !== undefined && isDeepStrictEqual(before, entry)
    entries.set(entry.entryId, isSame ? before : entry)
    if (!isSame) changedEntryIds.add(entry.entryId)
  }
  const removed = update.kind === 'changes' ? update.removedEntryIds : []
  for (const entryId of removed) entries.delete(entryId)
  for (const entryId of known.keys()) if (!entries.has(entryId)) changedEntryIds.add(entryId)
  return { entries, changedEntryIds }
}

/** A bundle is held only as long as some entry federates with its trust domain. */
function applyFederated(
  known: FederatedBundles,
  news: FederatedBundles,
  entries: Knowledge['entries'],
): FederatedBundles {
  const wanted = news.size === 0 ? new Set() : federationsOf(entries)
  const federated = new Map<TrustDomain, Bundle>()
  for (const [trustDomain, bundle] of news) {
    if (!wanted.has(trustDomain)) continue
    const before = known.get(trustDomain)
    federated.set(trustDomain, before === undefined ? bundle : keepEqual(before, bundle))
  }
  const isSame =
    federated.size === known.size &&
    [...federated].every(([trustDomain, bundle]) => known.get(trustDomain) === bundle)
  return isSame ? known : federated
}

function keepEqual(before: Bundle, now: Bundle): Bundle {
  return isDeepStrictEqual(before, now) ? before : now
}

/** The trust domains that any entry federates with. */
export function federationsOf(entries: Knowledge['entries']): ReadonlySet<TrustDomain> {
  const wanted = new Set<TrustDomain>()
  for (const { federatesWith } of entries.values()) for (const one of federatesWith) wanted.add(one)
  return wanted
}

/** What is known before the server has said anything. */
export function knowingOnly(bundle: Bundle): Knowledge {
  return { entries: new Map(), bundle, federated: new Map() }
}

/**
 * The cached bundle, provided that it has the X.509 authorities of `trusted`. These are written to disk before the
 * cache is, and SPIRE's agent may have written them since: where the two differ, they count.
 */
export function withAuthorities(cached: Bundle, trusted: Bundle): Bundle {
  const isSame =
    cached.x509Authorities.length === trusted.x509Authorities.length &&
    cached.x509Authorities.every(({ der }) =>
      trusted.x509Authorities.some((other) => Buffer.compare(der, other.der) === 0),
    )
  return isSame ? cached : { ...cached, x509Authorities: trusted.x509Authorities }
}
