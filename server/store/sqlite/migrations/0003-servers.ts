/** The servers that share the store, and what they ask of each other. Times are unix milliseconds. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const servers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('servers')
      .addColumn('server_key', 'text', (column) => column.primaryKey())
      .addColumn('incarnation', 'text', (column) => column.notNull())
      .addColumn('document', 'text', (column) => column.notNull())
      .addColumn('seen_at_ms', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('server_questions')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('server_key', 'text', (column) => column.notNull())
      .addColumn('question', 'text', (column) => column.notNull())
      .addColumn('answer', 'text')
      .addColumn('asked_at_ms', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('server_questions_server_key')
      .on('server_questions')
      .column('server_key')
      .execute()
  },
}
