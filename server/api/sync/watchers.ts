/**
 * Who is watching for changes, and how they are woken: an agent with news is woken once, however much the news is,
 * and looks for itself what has changed. Nothing is queued per watcher.
 */
import { type Bell, createBell } from '../../../spiffe/bell.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import type { EntryIndex } from '../../entries/entry-index.ts'
import { type Admission, createAdmission } from './admission.ts'
import { createPlace, type Place, type PlaceDeps } from './place.ts'

export interface Watcher extends Disposable {
  readonly bell: Bell
  /** A newer watch of the same agent has taken the place of this one. */
  isReplaced(): boolean
}

export interface Watchers {
  /** At which rate they may come. */
  readonly admission: Admission
  /** How far in the log of changes the index is. */
  readonly place: Place
  add(agentId: SpiffeId): Watcher
  /** Of all agents. */
  count(): number
  wake(agents: Iterable<string>): void
  wakeAll(): void
}

/** An agent has one stream, and for a moment two while it reconnects. */
const MAX_WATCHES_PER_AGENT = 4

interface Watch {
  readonly bell: Bell
  isReplaced: boolean
}

export function createWatchers(index: Pick<EntryIndex, 'watch'>, deps: PlaceDeps): Watchers {
  const watches = new Map<string, Watch[]>()
  let count = 0
  return {
    admission: createAdmission(deps.clock),
    place: createPlace(deps),
    add(agentId) {
      const own: Watch = { bell: createBell(), isReplaced: false }
      const all = [...(watches.get(agentId) ?? []), own]
      watches.set(agentId, all)
      count += 1
      const [oldest] = all.filter(({ isReplaced }) => !isReplaced)
      if (all.length > MAX_WATCHES_PER_AGENT && oldest !== undefined) {
        oldest.isReplaced = true
        oldest.bell.ring()
      }
      const unwatch = index.watch(agentId)
      return {
        bell: own.bell,
        isReplaced: () => own.isReplaced,
        [Symbol.dispose]() {
          unwatch()
          count -= 1
          const rest = (watches.get(agentId) ?? []).filter((watch) => watch !== own)
          if (rest.length > 0) watches.set(agentId, rest)
          else watches.delete(agentId)
        },
      }
    },
    count: () => count,
    wake(agents) {
      for (const agentId of agents) {
        for (const { bell } of watches.get(agentId) ?? []) bell.ring()
      }
    },
    wakeAll() {
      for (const each of watches.values()) for (const { bell } of each) bell.ring()
    },
  }
}
