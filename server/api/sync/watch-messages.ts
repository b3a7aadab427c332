/** What to tell an agent: everything at first, then what differs from what it was told before. */
import { isDeepStrictEqual } from 'node:util'
import type { WatchResponseInput } from '../../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import { toWireBundle } from '../../../proto/wire.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { Entry } from '../../entries/entry.ts'
import { toWireEntry } from '../entry/wire-entry.ts'

/** What an agent is to know. */
export interface View {
  readonly entries: ReadonlyMap<string, Entry>
  readonly bundle: Bundle
  /** Those that there are, of the trust domains that some entry federates with. */
  readonly federated: ReadonlyMap<TrustDomain, Bundle>
}

/** As in SyncAuthorizedEntries: keeps a message well below the 4 MiB that clients take. */
const ENTRIES_PER_MESSAGE = 500
const IDS_PER_MESSAGE = 5_000

/** @param findFederated the bundle of another trust domain */
export function viewOf(
  entries: readonly Entry[],
  bundle: Bundle,
  findFederated: (trustDomain: TrustDomain) => Bundle | undefined = () => undefined,
): View {
  const federated = new Map<TrustDomain, Bundle>()
  for (const trustDomain of new Set(entries.flatMap(({ federatesWith }) => federatesWith))) {
    const found = findFederated(trustDomain)
    if (found !== undefined) federated.set(trustDomain, found)
  }
  return { entries: new Map(entries.map((entry) => [entry.id, entry])), bundle, federated }
}

/** The complete state, in pages; the last one has the bundle. Bundles of others come one to a message: they may be large. */
export function* snapshotMessages(view: View): Generator<WatchResponseInput> {
  const pages = pagesOf([...view.entries.values()], ENTRIES_PER_MESSAGE)
  const last = pages.pop() ?? []
  for (const page of pages) yield { snapshot: true, more: true, entries: page.map(toFullEntry) }
  for (const bundle of view.federated.values()) {
    yield { snapshot: true, more: true, federated_bundles: [toWireBundle(bundle)] }
  }
  yield {
    snapshot: true,
    more: false,
    entries: last.map(toFullEntry),
    bundle: toWireBundle(view.bundle),
  }
}

/** Nothing at all when nothing differs. Bundles of others belong together with the first entries after them, which may need them. */
export function* changeMessages(told: View, view: View): Generator<WatchResponseInput> {
  if (!isSame(told.bundle, view.bundle)) yield { bundle: toWireBundle(view.bundle) }
  const changed = [...view.entries.values()].filter(
    (entry) => !isSame(told.entries.get(entry.id), entry),
  )
  const removed = [...told.entries.keys()].filter((id) => !view.entries.has(id))
  const bundles = changedBundles(told, view)
  const pages = pagesOf(changed, ENTRIES_PER_MESSAGE)
  for (const [at, bundle] of bundles.entries()) {
    const more = at < bundles.length - 1 || pages.length > 0
    yield { federated_bundles: [toWireBundle(bundle)], more }
  }
  for (const page of pages) yield { entries: page.map(toFullEntry) }
  for (const page of pagesOf(removed, IDS_PER_MESSAGE)) yield { removed_entry_ids: page }
  const gone = [...told.federated.keys()].filter((trustDomain) => !view.federated.has(trustDomain))
  for (const page of pagesOf(gone, IDS_PER_MESSAGE)) yield { removed_federated_bundles: page }
}

function changedBundles(told: View, view: View): readonly Bundle[] {
  return [...view.federated].flatMap(([trustDomain, bundle]) =>
    isSame(told.federated.get(trustDomain), bundle) ? [] : [bundle],
  )
}

const toFullEntry = (entry: Entry) => toWireEntry(entry, null)

/** The index and the bundle hand out the same object until something changes; a reload makes equal ones. */
function isSame(a: Entry | Bundle | undefined, b: Entry | Bundle): boolean {
  return a === b || isDeepStrictEqual(a, b)
}

function pagesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}
