/**
 * Nodes in memory, so that checking an agent costs no query on most calls. A row is answered from memory only
 * when every commit that this process knew of at the question has been looked through for changes to it; otherwise
 * the store is asked. So a ban, a deletion or a promotion that this process has acknowledged is never overlooked by the next
 * call; one that another server has acknowledged is noticed as soon as it is announced, which takes milliseconds,
 * and while nothing is announced the store is asked each time.
 */
import { atMost } from '../../spiffe/at-most.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { type ChangeLog, MAX_CHANGES } from '../store/change-log.ts'
import type { NodeStore } from '../store/store.ts'
import type { AttestedNode } from './node.ts'

export interface NodeCacheDeps {
  readonly nodes: Pick<NodeStore, 'find'>
  readonly changes: Pick<ChangeLog, 'latest' | 'after' | 'onCommit' | 'hearing'>
  /** Nodes that were written or removed; `all` when that is not known. Must not throw. */
  readonly onNodes: (ids: ReadonlySet<string> | 'all') => void
  /** The change log could not be read: the store is asked for every node until it can. */
  readonly onFailure: (error: unknown) => void
}

export interface NodeCache extends Disposable {
  /** @param suits a remembered node for which this is false is not believed, and the store is asked */
  find(id: SpiffeId, suits?: (node: AttestedNode) => boolean): Promise<AttestedNode | undefined>
}

/** The oldest is forgotten first. */
const MAX_NODES = 20_000
/** The one that is under way may have begun too early; the next one tells what was committed before the question. */
const MAX_LOOKS_WAITED_FOR = 2
/** When nothing is remembered any more, hundreds of agents at once must not take all connections of the database. */
const MAX_QUESTIONS_AT_ONCE = 8

export async function cacheNodes(deps: NodeCacheDeps): Promise<NodeCache> {
  const { nodes, changes, onNodes, onFailure } = deps
  const known = new Map<string, AttestedNode>()
  const ask = atMost(MAX_QUESTIONS_AT_ONCE)
  let committed = await changes.latest()
  /** Every record up to this one has been looked through. */
  let seen = committed
  /** The look through the log that is under way: after a commit everybody waits for this one, instead of asking the store each. */
  let looking: Promise<void> | undefined
  let heard = changes.hearing()

  /** Fails closed: after a time when commits of other servers went unheard, nothing is remembered until the log's place is told. */
  const isHearing = (): boolean => {
    const now = changes.hearing()
    if (now !== heard) known.clear()
    return now !== undefined && now === heard
  }

  const forget = (ids: ReadonlySet<string> | 'all') => {
    if (ids === 'all') known.clear()
    else for (const id of ids) known.delete(id)
    onNodes(ids)
  }

  const look = async () => {
    const since = heard
    const place = await readOn(changes, seen, committed, forget)
    if (since === heard) seen = place
  }

  /** Commits are heard again. Nothing is remembered from before, and the log may go on at a lower place than it had. */
  const beginAnew = (hearing: number, sequence: number) => {
    heard = hearing
    known.clear()
    committed = sequence
    if (sequence >= seen) return void catchUp()
    seen = sequence
    forget('all')
  }

  const catchUp = async () => {
    if (looking !== undefined) return
    try {
      while (seen < committed) {
        looking = look()
        await looking
      }
    } catch (error) {
      onFailure(error) // the next commit tries again
    } finally {
      looking = undefined
    }
  }

  /** Until every commit up to `place` has been looked through, or that has failed. */
  const reach = async (place: number) => {
    for (let looks = 0; looks < MAX_LOOKS_WAITED_FOR && seen < place; looks++) {
      await looking?.catch(() => {}) // whoever looks tells it
    }
  }

  const stopListening = changes.onCommit((sequence) => {
    const hearing = changes.hearing()
    if (hearing !== undefined && hearing !== heard) return beginAnew(hearing, sequence)
    committed = Math.max(committed, sequence)
    void catchUp()
  })

  return {
    async find(id, suits = () => true) {
      const asked = committed
      if (seen < asked && known.has(id)) await reach(asked)
      const hears = isHearing()
      const remembered = known.get(id)
      const isBelieved = remembered !== undefined && hears && seen >= asked
      if (isBelieved && suits(remembered)) return remembered
      const { node, before, heardBefore } = await ask(async () => {
        const [placeThen, heardThen] = [committed, heard]
        return { node: await nodes.find(id), before: placeThen, heardBefore: heardThen }
      })
      // Kept only if nothing was committed meanwhile: what was read might be what is being replaced.
      const isSettled = before === committed && seen === committed
      if (node !== undefined && isSettled && isHearing() && heardBefore === heard) {
        const oldest = known.size >= MAX_NODES ? known.keys().next() : undefined
        if (oldest?.done === false) known.delete(oldest.value)
        known.set(id, node)
      }
      return node
    },
    [Symbol.dispose]: stopListening,
  }
}

/** @returns the new place in the log */
async function readOn(
  changes: NodeCacheDeps['changes'],
  place: number,
  committed: number,
  forget: (ids: ReadonlySet<string> | 'all') => void,
): Promise<number> {
  const found = await changes.after(place, MAX_CHANGES)
  if (found.kind === 'pruned') {
    forget('all') // what is not remembered cannot be out of date
    return committed
  }
  const ids = new Set(found.changes.filter(({ kind }) => kind === 'node').map(({ key }) => key))
  if (ids.size > 0) forget(ids)
  const last = found.changes.at(-1)
  if (last === undefined) throw new Error(`no change after ${place}, though one was committed`)
  return last.sequence
}
