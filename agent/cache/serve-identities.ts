/** The Workload API's view of the cache: each workload sees what its selectors entitle it to, and nothing else. */
import type { Bundle, JwtAuthority, X509Authority } from '../../spiffe/bundle.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { CachedEntry } from './entry.ts'
import type { BundlesUpdate, IdentitySource, WorkloadUpdate, X509Identity } from './identity.ts'
import type { Knowledge } from './knowledge.ts'
import type { WorkloadCache } from './workload-cache.ts'
import type { X509Svid } from './x509-svid.ts'

export function serveIdentities(
  cache: WorkloadCache,
  fetchJwtSvid: IdentitySource['fetchJwtSvid'],
): IdentitySource {
  type Entries = (selectors: ReadonlySet<Selector>) => readonly CachedEntry[]
  const x509View = sharedX509View(cache)
  async function* watch(entriesOf: Entries, selectors: ReadonlySet<Selector>, signal: AbortSignal) {
    using _ = cache.subscribe(selectors)
    yield* distinct(cache, signal, isSameX509, () => x509View(entriesOf(selectors)))
  }
  return {
    watchX509: (selectors, signal) => watch(cache.served, selectors, signal),
    watchEveryX509: (selectors, signal) => watch(cache.matching, selectors, signal),
    watchBundles: (selectors, signal) =>
      distinct(cache, signal, isSameBundles, () => bundlesView(cache, selectors)),
    matching: (selectors) => cache.served(selectors),
    fetchJwtSvid,
    bundles() {
      const { bundle, federated } = cache.knowledge()
      return { own: bundle, federated }
    },
  }
}

/** The newest view, again and again, whenever there is one that differs from the last. */
async function* distinct<T>(
  { news }: WorkloadCache,
  signal: AbortSignal,
  isSame: (a: T, b: T) => boolean,
  look: () => T | undefined,
): AsyncGenerator<T, void, undefined> {
  let last: T | undefined
  const lookForOther = () => {
    const next = look()
    return next === undefined || (last !== undefined && isSame(last, next)) ? undefined : next
  }
  for (;;) {
    const next = await news.until(lookForOther, signal)
    if (next === undefined) return
    last = next
    yield next
  }
}

interface SharedView {
  readonly svids: readonly X509Svid[]
  readonly knowledge: Knowledge
  readonly view: WorkloadUpdate
}

/**
 * What a workload with these entries is shown; the very same object for all that have the same entries, as long as it is made of
 * the same SVIDs and bundles. Whether each SVID may be handed out is asked every time.
 * @returns undefined while some entry has no SVID that may be handed out
 */
function sharedX509View(
  cache: WorkloadCache,
): (entries: readonly CachedEntry[]) => WorkloadUpdate | undefined {
  const shared = new WeakMap<readonly CachedEntry[], SharedView>()
  return (entries) => {
    const svids = cache.allServable(entries)
    if (svids === undefined) return undefined
    const knowledge = cache.knowledge()
    const before = shared.get(entries)
    if (before?.knowledge === knowledge && isEach(before.svids, svids, Object.is)) {
      return before.view
    }
    const view = x509View(cache, entries, svids)
    shared.set(entries, { svids, knowledge, view })
    return view
  }
}

/** @param svids of the entries, in their order */
function x509View(
  cache: WorkloadCache,
  entries: readonly CachedEntry[],
  svids: readonly X509Svid[],
): WorkloadUpdate {
  const identities: X509Identity[] = svids.flatMap(({ chain, key, expiresAt }, at) => {
    const entry = entries[at]
    if (entry === undefined) return []
    const { entryId, id, hint, createdAt, federatesWith } = entry
    return { entryId, id, hint, createdAt, federatesWith, chain, key, expiresAt }
  })
  const { bundle } = cache.knowledge()
  return { identities, bundle, federatedBundles: federatedBundlesOf(cache, entries) }
}

function bundlesView(cache: WorkloadCache, selectors: ReadonlySet<Selector>): BundlesUpdate {
  const entries = cache.served(selectors)
  return {
    hasIdentity: entries.length > 0,
    bundle: cache.knowledge().bundle,
    federatedBundles: federatedBundlesOf(cache, entries),
  }
}

/** Those of these entries only, in the order of their trust domains. */
function federatedBundlesOf(
  cache: WorkloadCache,
  entries: readonly CachedEntry[],
): readonly Bundle[] {
  const { bundle: own, federated } = cache.knowledge()
  const wanted = new Set(entries.flatMap(({ federatesWith }) => federatesWith))
  wanted.delete(own.trustDomain)
  return [...wanted].sort().flatMap((trustDomain) => federated.get(trustDomain) ?? [])
}

function isSameX509(a: WorkloadUpdate, b: WorkloadUpdate): boolean {
  if (a === b) return true
  return (
    a.identities.length === b.identities.length &&
    a.identities.every((one, at) => isSameIdentity(one, b.identities[at])) &&
    isSameRoots(a.bundle, b.bundle) &&
    isEach(a.federatedBundles, b.federatedBundles, isSameRoots)
  )
}

/** The cache keeps a chain as it is until there is another one. */
function isSameIdentity(a: X509Identity, b: X509Identity | undefined): boolean {
  return b !== undefined && a.chain === b.chain && a.hint === b.hint && a.entryId === b.entryId
}

function isSameBundles(a: BundlesUpdate, b: BundlesUpdate): boolean {
  const isSame = (one: Bundle, other: Bundle) => isSameRoots(one, other) && isSameKeys(one, other)
  return (
    a.hasIdentity === b.hasIdentity &&
    isSame(a.bundle, b.bundle) &&
    isEach(a.federatedBundles, b.federatedBundles, isSame)
  )
}

/** A workload sees neither sequence numbers nor taints, so they alone are no news. */
function isSameRoots(a: Bundle, b: Bundle): boolean {
  if (a === b) return true
  const isSameDer = (one: X509Authority, other: X509Authority) =>
    Buffer.compare(one.der, other.der) === 0
  return a.trustDomain === b.trustDomain && isEach(a.x509Authorities, b.x509Authorities, isSameDer)
}

function isSameKeys(a: Bundle, b: Bundle): boolean {
  const isSameKey = (one: JwtAuthority, other: JwtAuthority) =>
    one.keyId === other.keyId && Buffer.compare(one.publicKey, other.publicKey) === 0
  return a === b || isEach(a.jwtAuthorities, b.jwtAuthorities, isSameKey)
}

function isEach<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return (
    a.length === b.length &&
    a.every((one, at) => {
      const other = b[at]
      return other !== undefined && isSame(one, other)
    })
  )
}
