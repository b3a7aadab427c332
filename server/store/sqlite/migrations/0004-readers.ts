/** Which programs can go on after a migration: noted by the program that carries it out, for those that do not know it. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const readers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('schema_readers')
      .addColumn('migration', 'text', (column) => column.primaryKey())
      .addColumn('oldest_reader', 'text', (column) => column.notNull())
      .execute()
  },
}
