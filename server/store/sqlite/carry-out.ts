/** Carries out the migrations that a database lacks, all of them in one transaction, and notes who can go on after each. */
import { Kysely, SqliteDialect } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import type { MigrateOptions } from './migrate.ts'

/** @throws IdentityError UNAVAILABLE; the database is as before then */
export async function carryOut(
  { database, path, migrations }: MigrateOptions,
  missing: readonly string[],
): Promise<void> {
  // Kysely opens no transaction of its own here: it takes SQLite's schema changes for untransactional.
  const all: Record<string, Migration> = {}
  for (const { name, load } of migrations) all[name] = await load()
  const migrator = new Migrator({
    db: new Kysely<unknown>({ dialect: new SqliteDialect({ database }) }),
    provider: { getMigrations: async () => all },
  })
  database.exec('begin immediate')
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) {
    const note = database.prepare(
      'insert into schema_readers (migration, oldest_reader) values (?, ?)',
    )
    for (const { name, oldestReader } of migrations) {
      if (missing.includes(name)) note.run(name, oldestReader)
    }
    database.exec('commit')
    return
  }
  if (database.inTransaction) database.exec('rollback')
  throw new IdentityError(
    'UNAVAILABLE',
    `database ${path} cannot be brought to the schema of this version: ${reasonOf(error)}`,
    { cause: error },
  )
}
