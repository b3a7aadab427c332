/**
 * The whole content of a store as rows, for backups: read as of one moment while others go on writing, and loaded as a
 * whole or not at all. Every engine has the same tables, so what one has written another can load.
 *
 * What can be made again of the rest is left out: the sets that filters ask for, and the change log, which begins anew.
 * Join tokens are left out too: one that was used after the moment of the dump would work a second time.
 */

export type ColumnKind = 'text' | 'text?' | 'integer' | 'integer?' | 'bytes'
export type DumpValue = string | number | Uint8Array | null

export interface DumpRow {
  readonly table: DumpedTable
  /** In the order of the columns of that table. */
  readonly values: readonly DumpValue[]
}

/** In an order in which each row finds what it refers to. */
export const DUMPED_TABLES = {
  bundles: { trust_domain: 'text', document: 'text' },
  federation_relationships: {
    trust_domain: 'text',
    endpoint_url: 'text',
    profile: 'text',
    endpoint_spiffe_id: 'text?',
  },
  entries: {
    row: 'integer',
    id: 'text',
    spiffe_id: 'text',
    parent_id: 'text',
    selectors: 'text',
    similarity: 'text',
    x509_svid_ttl_seconds: 'integer',
    jwt_svid_ttl_seconds: 'integer',
    federates_with: 'text',
    admin: 'integer',
    downstream: 'integer',
    expires_at: 'integer?',
    dns_names: 'text',
    store_svid: 'integer',
    hint: 'text',
    disable_x509_svid_prefetch: 'integer',
    jwt_svid_include_jti: 'integer',
    revision_number: 'integer',
    created_at: 'integer',
  },
  nodes: {
    row: 'integer',
    id: 'text',
    attestation_type: 'text',
    serial_number: 'text',
    expires_at: 'integer',
    new_serial_number: 'text',
    new_expires_at: 'integer?',
    can_reattest: 'integer',
    selectors: 'text',
    agent_version: 'text',
  },
  ca_journals: { server_key: 'text', document: 'bytes', saved_at: 'integer' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnKind>>>>

export type DumpedTable = keyof typeof DUMPED_TABLES

/** Cast: the keys of the constant above, in its order. */
export const DUMPED_TABLE_NAMES = Object.keys(DUMPED_TABLES) as readonly DumpedTable[]

export function columnsOf(table: DumpedTable): readonly string[] {
  return Object.keys(DUMPED_TABLES[table])
}

export function kindsOf(table: DumpedTable): readonly ColumnKind[] {
  return Object.values(DUMPED_TABLES[table])
}

/** Tables whose rows are made of the JSON list in a column of another table, when that is loaded. */
export const DERIVED_TABLES = [
  {
    table: 'entry_selectors',
    key: 'entry_row',
    value: 'selector',
    of: 'entries',
    list: 'selectors',
  },
  {
    ...{ table: 'entry_federates_with', key: 'entry_row', value: 'trust_domain' },
    ...{ of: 'entries', list: 'federates_with' },
  },
  { table: 'node_selectors', key: 'node_row', value: 'selector', of: 'nodes', list: 'selectors' },
] as const satisfies readonly {
  readonly table: string
  readonly key: string
  readonly value: string
  readonly of: DumpedTable
  readonly list: string
}[]

/** What a store held at one moment: every write that was acknowledged before it was asked for is in it. */
export interface Snapshot extends AsyncDisposable {
  /** Of the change log. */
  readonly latestSequence: number
  /** Some rows at a time, so that memory stays bounded, in the order of these tables and of their keys. */
  rows(tables: readonly DumpedTable[]): AsyncIterable<readonly DumpRow[]>
}

export type RowCounts = Readonly<Record<DumpedTable, number>>

export interface LoadOptions {
  /** Remove what is there first; without it the store must be empty. */
  readonly replaces: boolean
  /** The change log goes on beyond this, and says to who followed it that it must load everything anew. */
  readonly sequence: number
}

export interface StoreDump {
  /** One at a time. @throws IdentityError UNAVAILABLE when there is one already, or the store cannot answer */
  snapshot(): Promise<Snapshot>
  /** How many rows there are. */
  count(): Promise<RowCounts>
  /**
   * One transaction: after an error, a kill or a power cut everything is as before.
   * @throws IdentityError PRECONDITION_FAILED when the store is not empty and nothing may be replaced, and whatever
   *   reading `rows` throws
   */
  load(rows: AsyncIterable<readonly DumpRow[]>, options: LoadOptions): Promise<void>
}

/** Rows handed over at once. */
export const ROWS_AT_ONCE = 500

/**
 * How far the change log jumps when a store is loaded: more writes than any server makes between a backup and the loss of
 * what came after it, so that no sequence is given twice.
 */
export const SEQUENCE_JUMP = 1_000_000_000
