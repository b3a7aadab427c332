/**
 * Follows the server's own stream of changes: the complete state first, then what changes as it changes. Nothing of
 * a state is used before its last message has come.
 *
 * @see proto/steeple/server/sync/v1/sync.proto
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
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
  /** The place in the log of changes that any server has told so far; 0: none has. */
  readonly knownSequence: number
  /** There is another server to go to if this one says nothing. */
  readonly hasOthers: boolean
  /** All that was told so far has been applied. */
  onPlace(sequence: number): void
  /** The server asks for a new stream on a new connection; this one goes on until its lease is replaced. */
  onMove(): void
  /** The first complete state has been applied. */
  onInSync(): void
  /** The server pushes bundles of other trust domains too: they need not be asked for often. */
  onFederatedPushed(): void
}

/** The server is asked to say something this often. */
const HEARTBEAT_MS = 3_000
/** A server that does not say anything for so many of these is away, or has no time for anybody. */
const MAX_MISSED_HEARTBEATS = 3
/** A server that has lost its database does not say so at once; it makes streams wait for up to seven seconds otherwise. */
const FIRST_WORD_MS = 8_000

/**
 * Runs until the stream ends, which it does with an error. DEADLINE_EXCEEDED: the server has fallen silent;
 * NOT_IMPLEMENTED: it does not push.
 */
export async function followPush(deps: FeedDeps, run: PushRun): Promise<never> {
  const request = { known_sequence: run.knownSequence, heartbeat_ms: HEARTBEAT_MS }
  const call = run.lease.sync.Watch(request)
  const cancel = () => call.cancel()
  run.signal.addEventListener('abort', cancel, { once: true })
  const silence = listenForSilence(deps, run.hasOthers, cancel)
  try {
    let collected: Collected | undefined
    let isInSync = false
    for await (const message of readStream<WatchResponse>(call)) {
      silence.heard(message.heartbeat_ms)
      collected = collect(collected, message, deps)
      if (message.federated_bundles.length > 0) run.onFederatedPushed()
      if (message.more) continue
      if (!isEmpty(collected)) await applyCollected(collected, deps, run)
      collected = undefined
      if (message.sequence > 0) run.onPlace(message.sequence)
      if (message.move) run.onMove()
      if (isInSync) continue
      isInSync = true
      silence.inSync()
      run.onInSync()
    }
    throw new IdentityError('UNAVAILABLE', 'the server ended the stream of changes')
  } catch (error) {
    const why = silence.reason()
    if (why === undefined) throw error
    throw new IdentityError('DEADLINE_EXCEEDED', why, { cause: error })
  } finally {
    silence.end()
    run.signal.removeEventListener('abort', cancel)
  }
}

/** Ends a stream on which nothing comes any more, as far as the server has promised that something would. */
function listenForSilence({ clock }: FeedDeps, hasOthers: boolean, cancel: () => void) {
  const over = new AbortController()
  const first = new AbortController()
  const word = new AbortController()
  let heardMs = 0
  let reason: string | undefined
  let isListening = false
  const cancelFor = (why: string) => {
    reason = why
    cancel()
  }
  const listen = async (heartbeatMs: number) => {
    const patienceMs = MAX_MISSED_HEARTBEATS * heartbeatMs
    for (;;) {
      await clock.sleep(heardMs + patienceMs - clock.now().getTime(), over.signal)
      await nextTurn() // after a pause of our own, what has come meanwhile is read first
      if (over.signal.aborted) return
      if (clock.now().getTime() < heardMs + patienceMs) continue
      return cancelFor(`the server has said nothing for ${patienceMs / 1000} s`)
    }
  }
  const expect = async (what: string, withinMs: number, come: AbortSignal) => {
    const either = AbortSignal.any([over.signal, come])
    await clock.sleep(withinMs, either)
    await nextTurn() // as above: a pause of our own is no silence of the server's
    if (!either.aborted) cancelFor(`the server sent no ${what} within ${withinMs / 1000} s`)
  }
  void expect('complete state', CALL_DEADLINE_MS, first.signal)
  if (hasOthers) void expect('word', FIRST_WORD_MS, word.signal)
  return {
    reason: () => reason,
    inSync: () => first.abort(),
    end: () => over.abort(),
    /** @param heartbeatMs what the server promises; 0: nothing */
    heard(heartbeatMs: number) {
      word.abort()
      heardMs = clock.now().getTime()
      if (heartbeatMs === 0 || isListening) return
      isListening = true
      void listen(heartbeatMs)
    },
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

/** Only a word that the server is there. */
function isEmpty(all: Collected): boolean {
  const count = all.entries.length + all.removedEntryIds.length + all.federated.size
  return !all.isSnapshot && all.bundle === undefined && count + all.removedFederated.length === 0
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
