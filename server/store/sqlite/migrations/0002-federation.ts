/** Relationships with other trust domains. Their bundles are in `bundles`, with or without a relationship. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const federation: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('federation_relationships')
      .addColumn('trust_domain', 'text', (column) => column.primaryKey())
      .addColumn('endpoint_url', 'text', (column) => column.notNull())
      .addColumn('profile', 'text', (column) => column.notNull())
      .addColumn('endpoint_spiffe_id', 'text')
      .execute()
  },
}
