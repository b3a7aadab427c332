/** All that `steeple why` tells of a process, put together from what agent and server said. */
import { type Close, closestEntries } from '../../agent/explain/closest-entries.ts'
import { type Conclusion, conclude } from '../../agent/explain/conclude.ts'
import { type HeldEntry, type RegisteredEntry, selectorsOf } from '../../agent/explain/facts.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { AgentFacts } from './ask-agent.ts'
import type { ServerAnswer } from './ask-server.ts'
import { commandLine } from './command-line.ts'

export interface ShownEntry {
  readonly entryId: string
  readonly id: SpiffeId
  readonly missing: readonly Selector[]
  readonly present: readonly Selector[]
  /** Undefined: the server was not asked, or does not list it. */
  readonly parent: { readonly id: SpiffeId; readonly isOfAgent: boolean } | undefined
  readonly isHeld: boolean
  readonly hasSvid: boolean
  readonly storeSvid: boolean
  readonly expiresAt: Date | undefined
  readonly isExpired: boolean
}

export interface Explanation {
  readonly agent: AgentFacts
  /** The closest first. */
  readonly entries: readonly ShownEntry[]
  readonly conclusion: Conclusion
  readonly command: string | undefined
  /** What was not looked at. */
  readonly notes: readonly string[]
}

const MAX_SHOWN = 20

export function explanation(agent: AgentFacts, server: ServerAnswer | undefined): Explanation {
  const conclusion = conclude({ ...agent, server })
  const { remedy } = conclusion
  const wire = server?.wire ?? new Map()
  return {
    agent,
    entries: closest(agent, server).map((one) => toShown(one, agent, server)),
    conclusion,
    command: remedy === undefined ? undefined : commandLine(remedy, wire),
    notes: notesOf(conclusion, server),
  }
}

type Either = HeldEntry | RegisteredEntry

function closest(agent: AgentFacts, server: ServerAnswer | undefined): readonly Close<Either>[] {
  const held = new Set(agent.held.map(({ entryId }) => entryId))
  const others = (server?.entries ?? []).filter(({ entryId }) => !held.has(entryId))
  const all: readonly Either[] = [...agent.held, ...others]
  return closestEntries(all, selectorsOf(agent), MAX_SHOWN)
}

function toShown(
  { entry, missing }: Close<Either>,
  { now, held }: AgentFacts,
  server: ServerAnswer | undefined,
): ShownEntry {
  const own = held.find(({ entryId }) => entryId === entry.entryId)
  const registered = server?.entries.find(({ entryId }) => entryId === entry.entryId)
  const expiresAt = registered?.expiresAt
  const { entryId, id, selectors, storeSvid } = entry
  return {
    ...{ entryId, id, storeSvid, missing },
    present: selectors.filter((one) => !missing.includes(one)),
    parent:
      registered === undefined
        ? undefined
        : { id: registered.parentId, isOfAgent: server?.parents.has(registered.parentId) === true },
    isHeld: own !== undefined,
    hasSvid: own?.hasSvid === true,
    expiresAt,
    isExpired: expiresAt !== undefined && expiresAt <= now,
  }
}

function notesOf({ kind }: Conclusion, server: ServerAnswer | undefined): readonly string[] {
  const isOpen = kind === 'selector-missing' || kind === 'no-entries' || kind === 'never-synced'
  if (server === undefined && isOpen) {
    return [
      'entries that the agent does not have were not looked at: -serverSocketPath names a server to ask',
    ]
  }
  if (server?.isCutOff !== true) return []
  return [`only ${server.entries.length} entries of the server were looked at, it has more`]
}
