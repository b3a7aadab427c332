/** What is known of a process, of its agent and of the entries that may be meant for it, before anything is concluded. */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { SyncState } from '../sync/sync-record.ts'
import type { Rankable } from './closest-entries.ts'
import type { Finding } from './inspect-process.ts'

/** An entry that the agent has. */
export interface HeldEntry extends Rankable {
  readonly id: SpiffeId
  /** Its SVIDs go to a store, not to workloads. */
  readonly storeSvid: boolean
  /** An SVID is there to be handed out now. */
  readonly hasSvid: boolean
}

/** An entry that the server lists. */
export interface RegisteredEntry extends Rankable {
  readonly id: SpiffeId
  readonly parentId: SpiffeId
  readonly storeSvid: boolean
  readonly createdAt: Date
  /** Undefined: never. */
  readonly expiresAt: Date | undefined
}

export interface ServerFacts {
  /** `unknown`: the server has never heard of this agent, or has evicted it. */
  readonly standing: 'attested' | 'banned' | 'unknown'
  readonly entries: readonly RegisteredEntry[]
  /** Whose children the agent is given: itself, its aliases, and what lies below them. */
  readonly parents: ReadonlySet<SpiffeId>
}

export interface Facts {
  readonly pid: number
  readonly agentId: SpiffeId
  readonly now: Date
  readonly sync: SyncState
  /** One for each configured attestor. */
  readonly findings: readonly Finding[]
  /** Of what the agent has, those that matter here. */
  readonly held: readonly HeldEntry[]
  /** Undefined: nobody has asked a server. */
  readonly server: ServerFacts | undefined
}

export function selectorsOf({ findings }: Pick<Facts, 'findings'>): ReadonlySet<Selector> {
  return new Set(findings.flatMap(({ selectors }) => selectors))
}
