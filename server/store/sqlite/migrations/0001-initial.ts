/**
 * The first schema. Times are whole unix seconds; booleans are 0 and 1; lists are JSON in their row,
 * and once more in a table of their own where a filter asks for them.
 */
import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A migration knows only the schema it finds, never the current types. */
type AnySchema = Kysely<unknown>

export const initial: Migration = {
  async up(db: AnySchema): Promise<void> {
    await createBundles(db)
    await createEntries(db)
    await createEntrySets(db)
    await createNodes(db)
    await createChangeLog(db)
    await db.schema
      .createTable('join_tokens')
      .addColumn('token_hash', 'text', (column) => column.primaryKey())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('ca_journals')
      .addColumn('server_key', 'text', (column) => column.primaryKey())
      .addColumn('document', 'blob', (column) => column.notNull())
      .addColumn('saved_at', 'bigint', (column) => column.notNull())
      .execute()
  },
}

async function createBundles(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('bundles')
    .addColumn('trust_domain', 'text', (column) => column.primaryKey())
    .addColumn('document', 'text', (column) => column.notNull())
    .execute()
}

async function createEntries(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('entries')
    .addColumn('row', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('spiffe_id', 'text', (column) => column.notNull())
    .addColumn('parent_id', 'text', (column) => column.notNull())
    .addColumn('selectors', 'text', (column) => column.notNull())
    .addColumn('similarity', 'text', (column) => column.notNull())
    .addColumn('x509_svid_ttl_seconds', 'bigint', (column) => column.notNull())
    .addColumn('jwt_svid_ttl_seconds', 'bigint', (column) => column.notNull())
    .addColumn('federates_with', 'text', (column) => column.notNull())
    .addColumn('admin', 'integer', (column) => column.notNull())
    .addColumn('downstream', 'integer', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('dns_names', 'text', (column) => column.notNull())
    .addColumn('store_svid', 'integer', (column) => column.notNull())
    .addColumn('hint', 'text', (column) => column.notNull())
    .addColumn('disable_x509_svid_prefetch', 'integer', (column) => column.notNull())
    .addColumn('jwt_svid_include_jti', 'integer', (column) => column.notNull())
    .addColumn('revision_number', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  for (const column of ['spiffe_id', 'parent_id', 'similarity']) {
    await db.schema.createIndex(`entries_${column}`).on('entries').column(column).execute()
  }
  await sql`create index entries_expires_at on entries (expires_at) where expires_at is not null`.execute(
    db,
  )
  await sql`create index entries_hint on entries (hint) where hint <> ''`.execute(db)
}

async function createEntrySets(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('entry_selectors')
    .addColumn('selector', 'text', (column) => column.notNull())
    .addColumn('entry_row', 'integer', (column) =>
      column.notNull().references('entries.row').onDelete('cascade'),
    )
    .addPrimaryKeyConstraint('entry_selectors_key', ['entry_row', 'selector'])
    .modifyEnd(sql`without rowid`)
    .execute()
  await db.schema
    .createIndex('entry_selectors_selector')
    .on('entry_selectors')
    .column('selector')
    .execute()
  await db.schema
    .createTable('entry_federates_with')
    .addColumn('trust_domain', 'text', (column) =>
      column.notNull().references('bundles.trust_domain').onDelete('restrict'),
    )
    .addColumn('entry_row', 'integer', (column) =>
      column.notNull().references('entries.row').onDelete('cascade'),
    )
    .addPrimaryKeyConstraint('entry_federates_with_key', ['entry_row', 'trust_domain'])
    .modifyEnd(sql`without rowid`)
    .execute()
  await db.schema
    .createIndex('entry_federates_with_trust_domain')
    .on('entry_federates_with')
    .column('trust_domain')
    .execute()
}

async function createNodes(db: AnySchema): Promise<void> {
  await db.schema
    .createTable('nodes')
    .addColumn('row', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('attestation_type', 'text', (column) => column.notNull())
    .addColumn('serial_number', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('new_serial_number', 'text', (column) => column.notNull())
    .addColumn('new_expires_at', 'bigint')
    .addColumn('can_reattest', 'integer', (column) => column.notNull())
    .addColumn('selectors', 'text', (column) => column.notNull())
    .addColumn('agent_version', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('nodes_expires_at').on('nodes').column('expires_at').execute()
  await db.schema
    .createTable('node_selectors')
    .addColumn('selector', 'text', (column) => column.notNull())
    .addColumn('node_row', 'integer', (column) =>
      column.notNull().references('nodes.row').onDelete('cascade'),
    )
    .addPrimaryKeyConstraint('node_selectors_key', ['node_row', 'selector'])
    .modifyEnd(sql`without rowid`)
    .execute()
  await db.schema
    .createIndex('node_selectors_selector')
    .on('node_selectors')
    .column('selector')
    .execute()
}

async function createChangeLog(db: AnySchema): Promise<void> {
  // autoincrement: a sequence is never given twice, even after the newest records were pruned
  await db.schema
    .createTable('changes')
    .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('change_log')
    .addColumn('only', 'integer', (column) => column.primaryKey())
    .addColumn('pruned_through', 'bigint', (column) => column.notNull())
    .execute()
  await sql`insert into change_log (only, pruned_through) values (1, 0)`.execute(db)
}
