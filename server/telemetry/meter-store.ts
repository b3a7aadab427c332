/** The store with a call counter around each of its operations, under SPIRE's names for them. */

import { type Metrics, NO_METRICS } from '../../telemetry/metrics.ts'
import type { Store } from '../store/store.ts'

/** Several names where SPIRE takes several steps for what is one here. */
type Operations<T> = { readonly [K in keyof T]: string | readonly string[] }

const ENTRIES: Operations<Store['entries']> = {
  create: 'registration_entry_create',
  update: 'registration_entry_update',
  remove: 'registration_entry_delete',
  find: 'registration_entry_fetch',
  findMany: 'registration_entry_fetch',
  list: 'registration_entry_list',
  count: 'registration_entry_count',
  pruneExpired: 'registration_entry_prune',
}
const NODES: Operations<Store['nodes']> = {
  attest: ['node_create', 'node_selectors_set'],
  renew: 'node_update',
  promote: 'node_update',
  ban: 'node_update',
  setAgentVersion: 'node_update',
  remove: 'node_delete',
  find: 'node_fetch',
  findMany: 'node_fetch',
  list: 'node_list',
  count: 'node_count',
  pruneExpired: 'node_prune',
}
const JOIN_TOKENS: Operations<Store['joinTokens']> = {
  create: 'join_token_create',
  redeem: ['join_token_fetch', 'join_token_delete'],
  pruneExpired: 'join_token_prune',
}
const BUNDLES: Operations<Store['bundles']> = {
  find: 'bundle_fetch',
  list: 'bundle_list',
  count: 'bundle_count',
  update: 'bundle_update',
  remove: 'bundle_delete',
}
const FEDERATION: Operations<Store['federation']> = {
  find: 'federation_relationship_fetch',
  list: 'federation_relationship_list',
  create: 'federation_relationship_create',
  update: 'federation_relationship_update',
  remove: 'federation_relationship_delete',
}
const CA_JOURNAL: Operations<Store['caJournal']> = {
  load: 'ca_journal_fetch',
  save: 'ca_journal_set',
  prune: 'ca_journal_prune',
}

/** The same store: closing this one closes that one. */
export function meterStore(store: Store, metrics: Metrics): Store {
  if (metrics === NO_METRICS) return store
  return {
    entries: meter(store.entries, ENTRIES, metrics),
    nodes: meter(store.nodes, NODES, metrics),
    joinTokens: meter(store.joinTokens, JOIN_TOKENS, metrics),
    bundles: meter(store.bundles, BUNDLES, metrics),
    federation: meter(store.federation, FEDERATION, metrics),
    caJournal: meter(store.caJournal, CA_JOURNAL, metrics),
    servers: store.servers,
    changes: store.changes,
    dump: store.dump,
    turns: store.turns,
    checkHealth: () => store.checkHealth(),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function meter<T extends object>(part: T, operations: Operations<T>, metrics: Metrics): T {
  const metered = Object.entries<string | readonly string[]>(operations).map(([name, names]) => {
    // Cast: every operation of the store is a function with a promise.
    const operation = part[name as keyof T] as (...args: unknown[]) => Promise<unknown>
    const measured = (...args: unknown[]) =>
      [names].flat().reduce<() => Promise<unknown>>(
        (work, metric) => () => metrics.measure(`datastore_${metric}`, work),
        () => operation.apply(part, args),
      )()
    return [name, measured] as const
  })
  // Cast: each operation stands again under its own name.
  return Object.fromEntries(metered) as T
}
