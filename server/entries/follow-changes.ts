/**
 * Keeps the entry index equal to the store: loads everything once, then applies the change log in
 * the order of commits. A commit of this process is applied at once, those of other servers as soon as they
 * are announced, and within a second if nothing announces them. A log that does not go on where it was left
 * (pruned, restored, a standby in its place) is noticed, and everything is loaded anew. A failed round is
 * reported and tried again; meanwhile the index answers with what it has.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import {
  parseSpiffeId,
  parseTrustDomain,
  type SpiffeId,
  type TrustDomain,
} from '../../spiffe/id.ts'
import type { AttestedNode } from '../nodes/node.ts'
import { type Change, MAX_CHANGES } from '../store/change-log.ts'
import { eachPage } from '../store/page.ts'
import type { Store } from '../store/store.ts'
import type { Entry } from './entry.ts'
import type { EntryIndex, IndexChange } from './entry-index.ts'
import { type LogPlace, readOn, startAt } from './log-place.ts'

export interface FollowDeps {
  readonly store: Pick<Store, 'entries' | 'nodes' | 'changes'>
  readonly index: EntryIndex
  readonly clock: Clock
  /** Watched agents whose authorized entries may have changed. Must not throw. */
  readonly onAffected: (agents: ReadonlySet<SpiffeId>) => void
  /** The index holds all changes up to this one; called in the turn in which it takes them in. Must not throw. */
  readonly onPlace?: (sequence: number) => void
  /** The log was looked at, and the index holds all of it. Must not throw. */
  readonly onLooked?: () => void
  /** Bundles that were written or removed; `all` when that is not known. Must not throw. */
  readonly onBundles: (trustDomains: ReadonlySet<TrustDomain> | 'all') => void
  /** A round failed; another one follows. */
  readonly onFailure: (error: unknown) => void
  /** Everything is loaded. Called once. */
  readonly onReady: () => void
  /** Around each reading of everything: at the start, and where the log does not go on. */
  readonly measureLoad?: <T>(load: () => Promise<T>) => Promise<T>
}

/** How soon commits of other servers are seen that nobody announced. */
const POLL_MS = 1_000
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 5_000
/** The record that stands at the old place is read again, and not among them. */
const FULL_READ_ITEMS = MAX_CHANGES - 1
/** Small enough to let other work in between two pages. */
const LOAD_PAGE_ITEMS = 1_000

/** Runs until the signal aborts. */
export async function followChanges(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const { store, clock, index, measureLoad = (load) => load() } = deps
  const bell = createBell()
  const stopListening = store.changes.onCommit(bell.ring)
  signal.addEventListener('abort', bell.ring)
  let place: LogPlace | undefined
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    try {
      bell.reset()
      place = place === undefined ? await measureLoad(() => load(deps)) : await catchUp(deps, place)
      if (place !== undefined && !index.isReady()) {
        index.markReady()
        deps.onReady()
      }
      retryMs = FIRST_RETRY_MS
      if (place !== undefined) deps.onLooked?.()
      // An undefined place means that the log does not go on from there: load anew at once.
      if (place !== undefined) await clock.sleep(POLL_MS, bell.signal())
    } catch (error) {
      deps.onFailure(error)
      await clock.sleep(retryMs, signal)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
  }
  stopListening()
  signal.removeEventListener('abort', bell.ring)
}

/** @returns the place in the log from which to go on: everything before it has been read */
async function load(deps: FollowDeps): Promise<LogPlace> {
  const { store, index, onAffected, onBundles, onPlace } = deps
  const isReload = index.isReady()
  const place = await startAt(store.changes)
  const goneNodes = new Set(index.nodeIds())
  for await (const nodes of eachPage((page) => store.nodes.list({}, page), LOAD_PAGE_ITEMS)) {
    for (const { id } of nodes) goneNodes.delete(id)
    applyAll(index, nodes.map(nodeChange), onAffected)
    await nextTurn()
  }
  const goneEntries = new Set(index.entryIds())
  for await (const entries of eachPage((page) => store.entries.list({}, page), LOAD_PAGE_ITEMS)) {
    for (const { id } of entries) goneEntries.delete(id)
    applyAll(index, entries.map(entryChange), onAffected)
    await nextTurn()
  }
  applyAll(index, [...goneNodes].map(nodeGone), onAffected)
  applyAll(index, [...goneEntries].map(entryGone), onAffected)
  if (isReload) onBundles('all')
  onPlace?.(place.sequence)
  return place
}

/** @returns the new place, or undefined when the log does not go on from the old one */
async function catchUp(deps: FollowDeps, place: LogPlace): Promise<LogPlace | undefined> {
  const { store, index, onAffected, onBundles } = deps
  let reached = place
  for (;;) {
    const read = await readOn(store.changes, reached)
    if (read.kind === 'other-log') deps.onFailure(otherLogError(reached))
    if (read.kind !== 'changes') return undefined
    const last = read.changes.at(-1)
    if (last === undefined) return reached
    const changed = await readChanged(store, read.changes)
    deps.onPlace?.(last.sequence)
    applyAll(index, changed, onAffected)
    const bundles = new Set(keysOf(read.changes, 'bundle').map(parseTrustDomain))
    if (bundles.size > 0) onBundles(bundles)
    reached = { sequence: last.sequence, last }
    // That was the end of the log; whatever has been committed since then has rung the bell.
    if (read.changes.length < FULL_READ_ITEMS) return reached
  }
}

function otherLogError({ sequence }: LogPlace): IdentityError {
  return new IdentityError(
    'UNAVAILABLE',
    `the change log does not hold what was read at its place ${sequence}, so the database was restored, or a standby without the last commits took over; everything is loaded anew`,
  )
}

/**
 * What the changed entries and nodes are now, each once. They may be newer than the record that
 * named them; the records that follow then say the same again.
 */
async function readChanged(
  store: FollowDeps['store'],
  changes: readonly Change[],
): Promise<readonly IndexChange[]> {
  const entryIds = keysOf(changes, 'entry')
  const nodeIds = keysOf(changes, 'node').map(parseSpiffeId)
  // Nearly every change is of one kind, and a question costs the same when it is about nothing.
  const entries = entryIds.length === 0 ? [] : await store.entries.findMany(entryIds)
  const nodes = nodeIds.length === 0 ? [] : await store.nodes.findMany(nodeIds)
  const foundEntries = new Set(entries.map(({ id }) => id))
  const foundNodes = new Set(nodes.map(({ id }) => id))
  return [
    ...nodes.map(nodeChange),
    ...nodeIds.filter((id) => !foundNodes.has(id)).map(nodeGone),
    ...entries.map(entryChange),
    ...entryIds.filter((id) => !foundEntries.has(id)).map(entryGone),
  ]
}

const nodeChange = ({ id, selectors }: AttestedNode): IndexChange => ({
  kind: 'node',
  id,
  selectors,
})
const nodeGone = (id: SpiffeId): IndexChange => ({ kind: 'node', id, selectors: undefined })
const entryChange = (entry: Entry): IndexChange => ({ kind: 'entry', id: entry.id, entry })
const entryGone = (id: string): IndexChange => ({ kind: 'entry', id, entry: undefined })

function keysOf(changes: readonly Change[], kind: Change['kind']): string[] {
  return [...new Set(changes.filter((change) => change.kind === kind).map(({ key }) => key))]
}

function applyAll(
  index: EntryIndex,
  changes: readonly IndexChange[],
  onAffected: FollowDeps['onAffected'],
): void {
  const affected = new Set<SpiffeId>()
  for (const change of changes) {
    for (const agentId of index.apply(change)) affected.add(agentId)
  }
  if (affected.size > 0) onAffected(affected)
}
