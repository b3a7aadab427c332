/**
 * Keeps the entry index equal to the store: loads everything once, then applies the change log in
 * the order of commits. A commit of this process is applied at once, those of other servers within
 * a second. A failed round is reported and tried again; meanwhile the index answers with what it has.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
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

export interface FollowDeps {
  readonly store: Pick<Store, 'entries' | 'nodes' | 'changes'>
  readonly index: EntryIndex
  readonly clock: Clock
  /** Watched agents whose authorized entries may have changed. Must not throw. */
  readonly onAffected: (agents: ReadonlySet<SpiffeId>) => void
  /** Bundles that were written or removed; `all` when that is not known. Must not throw. */
  readonly onBundles: (trustDomains: ReadonlySet<TrustDomain> | 'all') => void
  /** A round failed; another one follows. */
  readonly onFailure: (error: unknown) => void
  /** Everything is loaded. Called once. */
  readonly onReady: () => void
}

/** How soon commits of other servers are seen. */
const POLL_MS = 1_000
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 5_000
/** Small enough to let other work in between two pages. */
const LOAD_PAGE_ITEMS = 1_000

/** Runs until the signal aborts. */
export async function followChanges(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const { store, clock, index } = deps
  const bell = createBell()
  const stopListening = store.changes.onCommit(bell.ring)
  signal.addEventListener('abort', bell.ring)
  let place: number | undefined
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    try {
      bell.reset()
      place = place === undefined ? await load(deps) : await catchUp(deps, place)
      if (place !== undefined && !index.isReady()) {
        index.markReady()
        deps.onReady()
      }
      retryMs = FIRST_RETRY_MS
      // An undefined place means that the log was pruned under us: load anew at once.
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
async function load({ store, index, onAffected, onBundles }: FollowDeps): Promise<number> {
  const isReload = index.isReady()
  const place = await store.changes.latest()
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
  return place
}

/** @returns the new place, or undefined when the log no longer reaches back to the old one */
async function catchUp(deps: FollowDeps, place: number): Promise<number | undefined> {
  const { store, index, onAffected, onBundles } = deps
  let reached = place
  for (;;) {
    const after = await store.changes.after(reached, MAX_CHANGES)
    if (after.kind === 'pruned') return undefined
    const last = after.changes.at(-1)
    if (last === undefined) return reached
    applyAll(index, await readChanged(store, after.changes), onAffected)
    const bundles = new Set(keysOf(after.changes, 'bundle').map(parseTrustDomain))
    if (bundles.size > 0) onBundles(bundles)
    reached = last.sequence
  }
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
  const entries = await store.entries.findMany(entryIds)
  const nodes = await store.nodes.findMany(nodeIds)
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
