/**
 * The store: everything the server must remember, as a port. A resolved promise of a write means
 * that it is on disk: neither kill -9 nor a power cut takes it back.
 *
 * Every method is one transaction. Writes of one process take effect in the order of the calls.
 * Functions handed in run inside the transaction and perhaps more than once: they must be pure.
 * A store that cannot answer now (locked, full, closed) throws IdentityError UNAVAILABLE.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import type { Entry, EntryFields, NewEntry } from '../entries/entry.ts'
import type { EntryFilter } from '../entries/filter.ts'
import type { FederationRelationship } from '../federation/relationship.ts'
import type { NodeFilter } from '../nodes/filter.ts'
import type { AttestedNode, RenewedFrom } from '../nodes/node.ts'
import type { ChangeLog } from './change-log.ts'
import type { StoreDump } from './dump.ts'
import type { Page, PageRequest, ReadOptions } from './page.ts'
import type { ServerRegistry } from './server-registry.ts'
import type { Turns } from './turns.ts'

export interface Store extends AsyncDisposable {
  readonly entries: EntryStore
  readonly nodes: NodeStore
  readonly joinTokens: JoinTokenStore
  readonly bundles: BundleStore
  readonly federation: FederationStore
  readonly caJournal: CaJournalStore
  readonly servers: ServerRegistry
  readonly changes: ChangeLog
  /** What several servers of this store must do only once at a time. */
  readonly turns: Turns
  /** For backups. */
  readonly dump: StoreDump
  /** Asks the database something. @throws IdentityError UNAVAILABLE */
  checkHealth(): Promise<void>
  /** Finishes the writes that were called before, then closes. May be called twice. */
  close(): Promise<void>
}

export type CreateEntryResult =
  | { readonly kind: 'created'; readonly entry: Entry }
  /** An entry of the same SPIFFE ID, parent and set of selectors exists: this one. Nothing was written. */
  | { readonly kind: 'similar'; readonly entry: Entry }
  | { readonly kind: 'id-taken'; readonly id: string }
  | { readonly kind: 'bundle-missing'; readonly trustDomain: TrustDomain }

export type UpdateEntryResult =
  | { readonly kind: 'updated'; readonly entry: Entry }
  | { readonly kind: 'not-found'; readonly id: string }
  | { readonly kind: 'bundle-missing'; readonly trustDomain: TrustDomain }
  /** What the given function threw; nothing was written for this item. */
  | { readonly kind: 'refused'; readonly error: IdentityError }

export type RemoveEntryResult =
  | { readonly kind: 'removed'; readonly id: string }
  | { readonly kind: 'not-found'; readonly id: string }

export interface EntryUpdate {
  readonly id: string
  /** The new fields from the present ones; it may throw an IdentityError to refuse. */
  readonly change: (current: Entry) => EntryFields
}

/** Batches give one result per item, in order; items that fail leave the others alone. */
export interface EntryStore {
  /** Of similar entries created at the same time, exactly one is created. */
  create(entries: readonly NewEntry[]): Promise<readonly CreateEntryResult[]>
  /** Adds one to the revision number, whatever the change. Similar entries are not looked for. */
  update(updates: readonly EntryUpdate[]): Promise<readonly UpdateEntryResult[]>
  remove(ids: readonly string[]): Promise<readonly RemoveEntryResult[]>
  find(id: string): Promise<Entry | undefined>
  /** Those of the given ones that exist, in no particular order. */
  findMany(ids: readonly string[]): Promise<readonly Entry[]>
  /** In order of creation. @throws IdentityError REQUEST_INVALID for a token or filter that is none */
  list(filter: EntryFilter, page: PageRequest): Promise<Page<Entry>>
  count(filter: EntryFilter, options?: ReadOptions): Promise<number>
  /** Removes at most `limit` entries that expired before `now`. @returns them */
  pruneExpired(now: Date, limit: number): Promise<readonly Entry[]>
}

/** A successful attestation. The SVID given with it replaces whatever was there. */
export interface Attestation {
  readonly id: SpiffeId
  readonly attestationType: string
  readonly serialNumber: string
  readonly expiresAt: Date
  readonly canReattest: boolean
  readonly selectors: AttestedNode['selectors']
}

export type NodeWriteResult =
  | { readonly kind: 'stored'; readonly node: AttestedNode }
  | { readonly kind: 'banned' }
  | { readonly kind: 'not-found' }

/** `changed`: the node has other serials by now, and was left as it is. */
export type RenewResult = NodeWriteResult | { readonly kind: 'changed' }

export interface NodePruning {
  /** Nodes whose SVID ended before this moment. */
  readonly expiredBefore: Date
  /** Also nodes that can never attest again by themselves. */
  readonly includeNonReattestable: boolean
  readonly limit: number
}

/** Node selectors are replaced in the same transaction as their node. */
export interface NodeStore {
  /** Creates or replaces; a ban stands: `banned` means nothing was written. Never `not-found`. */
  attest(attestation: Attestation): Promise<NodeWriteResult>
  /**
   * Remembers a renewed SVID beside the one in use, in the place of one that was never used, if the node still has the
   * serials of `from`: a call that waited at a server does not take the place of what another one gave meanwhile.
   */
  renew(from: RenewedFrom, serialNumber: string, expiresAt: Date): Promise<RenewResult>
  /** Makes the renewed SVID the one in use, if its serial is still this one; else `not-found`. */
  promote(id: SpiffeId, newSerialNumber: string): Promise<NodeWriteResult>
  /** Empties both serials. @returns false when there is no such node */
  ban(id: SpiffeId): Promise<boolean>
  /** @returns false when there is no such node */
  setAgentVersion(id: SpiffeId, agentVersion: string): Promise<boolean>
  /** Also removes the alias entry of a node attested by join token. @returns the node that was there */
  remove(id: SpiffeId): Promise<AttestedNode | undefined>
  find(id: SpiffeId): Promise<AttestedNode | undefined>
  /** Those of the given ones that exist, in no particular order. */
  findMany(ids: readonly SpiffeId[]): Promise<readonly AttestedNode[]>
  /** In order of first attestation. @throws IdentityError REQUEST_INVALID for a token or filter that is none */
  list(filter: NodeFilter, page: PageRequest): Promise<Page<AttestedNode>>
  count(filter: NodeFilter, options?: ReadOptions): Promise<number>
  /** Removes expired nodes as `remove` does. Banned ones stay: their ban would be forgotten. @returns them */
  pruneExpired(pruning: NodePruning): Promise<readonly AttestedNode[]>
}

export interface JoinToken {
  readonly token: string
  readonly expiresAt: Date
}

export interface JoinTokenStore {
  /** @returns false when there is such a token already */
  create(token: JoinToken): Promise<boolean>
  /** Reads and deletes in one step: a token works once, and an expired one is used up too. */
  redeem(token: string): Promise<JoinToken | undefined>
  /** @returns how many were removed, at most `limit` */
  pruneExpired(now: Date, limit: number): Promise<number>
}

/**
 * What happens to entries that federate with a removed bundle: `restrict` keeps the bundle,
 * `delete` removes the entries, `dissociate` takes the trust domain out of them.
 */
export type BundleRemoval = 'restrict' | 'delete' | 'dissociate'

export type RemoveBundleResult =
  | { readonly kind: 'removed' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'in-use'; readonly entryCount: number }

export interface BundleStore {
  find(trustDomain: TrustDomain): Promise<Bundle | undefined>
  /** All of them, the server's own included, in order of their names. */
  list(page: PageRequest): Promise<Page<Bundle>>
  count(): Promise<number>
  /**
   * Writes what `change` makes of the present bundle, unless that is undefined or the very same
   * object. Concurrent changes follow each other. The sequence number is the business of `change`.
   * @returns the bundle that is there afterwards
   */
  update(
    trustDomain: TrustDomain,
    change: (current: Bundle | undefined) => Bundle | undefined,
  ): Promise<Bundle | undefined>
  remove(trustDomain: TrustDomain, mode: BundleRemoval): Promise<RemoveBundleResult>
}

/** Relationships with other trust domains. A bundle given with one is written in the same transaction. */
export interface FederationStore {
  find(trustDomain: TrustDomain): Promise<FederationRelationship | undefined>
  /** In order of the names of their trust domains. @throws IdentityError REQUEST_INVALID for a token that is none */
  list(page: PageRequest): Promise<Page<FederationRelationship>>
  /** @returns false when there is one with this trust domain already; nothing was written */
  create(relationship: FederationRelationship, bundle: Bundle | undefined): Promise<boolean>
  /** @returns what is there afterwards; undefined when there is none, and nothing was written */
  update(
    trustDomain: TrustDomain,
    change: (current: FederationRelationship) => FederationRelationship,
    bundle: Bundle | undefined,
  ): Promise<FederationRelationship | undefined>
  /** The bundle of the trust domain stays. @returns false when there was none */
  remove(trustDomain: TrustDomain): Promise<boolean>
}

/** One opaque document per server; the last write wins. */
export interface CaJournalStore {
  load(serverKey: string): Promise<Uint8Array | undefined>
  save(serverKey: string, document: Uint8Array): Promise<void>
  /** Removes at most `limit` journals not saved since `before`. @returns how many */
  prune(before: Date, limit: number): Promise<number>
}
