/**
 * Brings a database to the present schema, all in one transaction: after a crash it is as before.
 * A database written by a newer version is refused rather than guessed at.
 */
import type { Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { initial } from './migrations/0001-initial.ts'
import { federation } from './migrations/0002-federation.ts'

/** In order; a released migration is never edited, and none is ever removed. */
const MIGRATIONS = {
  '0001-initial': initial,
  '0002-federation': federation,
}

/**
 * @param migrates whether a database of an older version may be changed; a new one is always set up
 * @throws IdentityError UNAVAILABLE
 */
export async function migrate(database: Database, path: string, migrates: boolean): Promise<void> {
  // Kysely opens no transaction of its own here: it takes SQLite's schema changes for untransactional.
  const migrator = new Migrator({
    db: new Kysely<unknown>({ dialect: new SqliteDialect({ database }) }),
    provider: { getMigrations: async () => MIGRATIONS },
  })
  if (!migrates) await refuseOlder(migrator, path)
  database.exec('begin immediate')
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) {
    database.exec('commit')
    return
  }
  if (database.inTransaction) database.exec('rollback')
  throw new IdentityError(
    'UNAVAILABLE',
    `database ${path} cannot be brought to the schema of this version (${reasonOf(error)}): was it written by a newer one?`,
    { cause: error },
  )
}

async function refuseOlder(migrator: Migrator, path: string): Promise<void> {
  const known = await migrator.getMigrations()
  const missing = known.filter(({ executedAt }) => executedAt === undefined)
  if (missing.length === 0 || missing.length === known.length) return
  const names = missing.map(({ name }) => name).join(', ')
  throw new IdentityError(
    'UNAVAILABLE',
    `database ${path} is of an older version (it lacks ${names}) and disable_migration is set: back it up, then start once without disable_migration`,
  )
}
