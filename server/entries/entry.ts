/**
 * A registration entry: which identity a workload gets, under which parent, when which selectors match.
 * A value of `Entry` has passed every rule of `parse-entry.ts`.
 *
 * @see SPIRE behaviour §5 — what each field means
 */
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import { type Selector, selector } from '../../spiffe/selector.ts'

/** What an operator may say about an entry. Lists hold no value twice; times are whole seconds. */
export interface EntryFields {
  readonly spiffeId: SpiffeId
  /** An agent, a node alias, another workload, or the server itself for a node alias. */
  readonly parentId: SpiffeId
  /** At least one; the caller must have all of them. */
  readonly selectors: readonly Selector[]
  /** 0 takes the server's default. */
  readonly x509SvidTtlSeconds: number
  /** 0 takes the server's default. */
  readonly jwtSvidTtlSeconds: number
  /** Trust domains whose bundles the workload is given too. */
  readonly federatesWith: readonly TrustDomain[]
  readonly admin: boolean
  readonly downstream: boolean
  /** When the entry is pruned: housekeeping, never a security decision. */
  readonly expiresAt: Date | undefined
  /** DNS SANs; the first one also becomes the common name. */
  readonly dnsNames: readonly string[]
  readonly storeSvid: boolean
  /** Empty when there is none. */
  readonly hint: string
  readonly disableX509SvidPrefetch: boolean
  readonly jwtSvidIncludeJti: boolean
}

export interface Entry extends EntryFields {
  readonly id: string
  /** 0 at creation, one more with every update, even one that changes nothing. */
  readonly revisionNumber: number
  readonly createdAt: Date
}

/** An entry about to be created; without an `id` the store chooses a random one. */
export interface NewEntry extends EntryFields {
  readonly id: string | undefined
}

/** The fields an update writes; all others stay as they are. */
export type EntryChange = Partial<EntryFields>

/**
 * The entry that ties an operator-chosen ID to an agent attested by join token.
 * It is matched by `isJoinTokenAlias` when the agent is deleted: keep the two together.
 */
export function joinTokenAlias(agentId: SpiffeId, spiffeId: SpiffeId): NewEntry {
  return {
    id: undefined,
    spiffeId,
    parentId: agentId,
    selectors: [selector('spiffe_id', agentId)],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAt: undefined,
    dnsNames: [],
    storeSvid: false,
    hint: '',
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
  }
}

export function isJoinTokenAlias(entry: Entry): boolean {
  return entry.selectors.length === 1 && entry.selectors[0] === `spiffe_id:${entry.parentId}`
}
