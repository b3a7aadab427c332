/**
 * Follows the server's own stream of changes: the complete state first, then what changes as it changes. Nothing of
 * a state is used before its last message has come.
 *
 * @see proto/steeple/server/sync/v1/sync.proto
 */
import type { WatchResponse } from '../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import { fromWireBundle } from '../../proto/wire.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { CachedEntry } from '../cache/entry.ts'
import { type FederatedBundles, federationsOf, type Knowledge } from '../cache/knowledge.ts'
import { CALL_DEADLINE_MS, readStream } from '../node/call.ts'
import { readOwnBundle } from '../node/own-bundle.ts'
import { fetchFederated } from './federated.ts'
import type { FeedDeps, FeedRun } from './feed.ts'
import { checkCount, readEntries } from './read-entries.ts'

export interface PushRun extends FeedRun {
  /** The first complete state has been applied. */
  onInSync(): void
  /** The server pushes bundles of other trust domains too: they need not be asked for often. */
  onFederatedPushed(): void
}

/** Runs until the stream ends, which it does with an error; NOT_IMPLEMENTED: this server does not push. */
export async function followPush(deps: FeedDeps, run: PushRun): Promise<never> {
  const call = run.lease.sync.Watch({})
  const cancel = () => call.cancel()
  run.signal.addEventListener('abort', cancel, { once: true })
  const inSync = new AbortController()
  let isSilent = false
  void deps.clock.sleep(CALL_DEADLINE_MS, inSync.signal).then(() => {
    if (inSync.signal.aborted) return
    isSilent = true
    cancel()
  })
  try {
    let collected: Collected | undefined
    for await (const message of readStream<WatchResponse>(call)) {
      collected = collect(collected, message, deps)
      if (message.federated_bundles.length > 0) run.onFederatedPushed()
      if (message.more) continue
      await applyCollected(collected, deps, run)
      collected = undefined
      if (inSync.signal.aborted) continue
      inSync.abort()
      run.onInSync()
    }
    throw new IdentityError('UNAVAILABLE', 'the server ended the stream of changes')
  } catch (error) {
    if (!isSilent) throw error
    const why = `the server sent no complete state within ${CALL_DEADLINE_MS / 1000} s`
    throw new IdentityError('DEADLINE_EXCEEDED', why, { cause: error })
  } finally {
    inSync.abort()
    run.signal.removeEventListener('abort', cancel)
  }
}

/** The messages so far of one state, or of one set of changes. */
interface Collected {
  readonly isSnapshot: boolean
  readonly entries: CachedEntry[]
  readonly removedEntryIds: string[]
  bundle: Bundle | undefined
  readonly federated: Map<TrustDomain, Bundle>
  readonly removedFederated: string[]
}

function collect(before: Collected | undefined, message: WatchResponse, deps: FeedDeps): Collected {
  const isSnapshot = message.snapshot
  if (before !== undefined && before.isSnapshot !== isSnapshot) {
    throw new IdentityError('INTERNAL', 'the server mixed changes into a complete state')
  }
  const all = before ?? nothingYet(isSnapshot)
  for (const entry of readEntries(message.entries, deps)) all.entries.push(entry)
  for (const entryId of message.removed_entry_ids) all.removedEntryIds.push(entryId)
  for (const wire of message.federated_bundles) {
    const bundle = fromWireBundle(wire)
    all.federated.set(bundle.trustDomain, bundle)
  }
  for (const trustDomain of message.removed_federated_bundles) {
    all.removedFederated.push(trustDomain)
  }
  const bundleCount = all.federated.size + all.removedFederated.length
  checkCount(all.entries.length + all.removedEntryIds.length + bundleCount)
  if (message.bundle !== null) all.bundle = readOwnBundle(message.bundle, deps.trustDomain)
  return all
}

function nothingYet(isSnapshot: boolean): Collected {
  return {
    ...{ isSnapshot, entries: [], removedEntryIds: [], bundle: undefined },
    ...{ federated: new Map(), removedFederated: [] },
  }
}

/** A workload sees its entry and the bundles it federates with at the same moment. */
async function applyCollected(
  { isSnapshot, entries, removedEntryIds, bundle, ...pushed }: Collected,
  deps: FeedDeps,
  run: FeedRun,
): Promise<void> {
  const known = withPushed(deps.knowledge(), pushed)
  const fetched = await withNewFederations(known, entries, deps, run)
  const federated = fetched ?? known.federated
  if (isSnapshot) deps.apply({ kind: 'snapshot', entries, bundle, federated })
  else deps.apply({ kind: 'changes', entries, removedEntryIds, bundle, federated })
}

function withPushed(
  known: Knowledge,
  { federated: pushed, removedFederated }: Pick<Collected, 'federated' | 'removedFederated'>,
): Knowledge {
  if (pushed.size === 0 && removedFederated.length === 0) return known
  const federated = new Map([...known.federated, ...pushed])
  const removed = new Set<string>(removedFederated)
  for (const trustDomain of federated.keys()) {
    if (removed.has(trustDomain)) federated.delete(trustDomain)
  }
  return { ...known, federated }
}

/** @returns undefined when no bundle is missing */
async function withNewFederations(
  { federated: known }: Knowledge,
  entries: readonly CachedEntry[],
  deps: FeedDeps,
  { lease, signal }: FeedRun,
): Promise<FederatedBundles | undefined> {
  const wanted = federationsOf(new Map(entries.map((entry) => [entry.entryId, entry])))
  const missing = [...wanted].filter((trustDomain) => !known.has(trustDomain))
  if (missing.length === 0) return undefined
  const onFailure = (error: unknown, failed: TrustDomain) =>
    deps.onSkipped(error, { trustDomain: failed })
  const limits = { clock: deps.clock, signal }
  const fetched = await fetchFederated({
    client: lease.bundle,
    wanted: missing,
    known,
    limits,
    onFailure,
  })
  return new Map([...known, ...fetched])
}
