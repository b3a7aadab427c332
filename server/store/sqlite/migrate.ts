/**
 * Brings a database to the present schema, all in one transaction: after a crash it is as before.
 * A database written by a newer version is used only where that version has noted that this one can.
 */
import type { Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { type DoneSteps, judgeSchema, type SchemaStanding } from '../sql/schema-history.ts'
import { olderSchema, unreadableSchema } from '../sql/schema-text.ts'
import type { SqliteMigration } from './migrations.ts'

export interface MigrateOptions {
  readonly database: Database
  /** For messages. */
  readonly path: string
  /** Whether a database of an older version may be changed; a new one is always set up. */
  readonly migrates: boolean
  readonly migrations: readonly SqliteMigration[]
}

/** @returns what it is now: `current` or `ahead` @throws IdentityError UNAVAILABLE */
export async function migrate(options: MigrateOptions): Promise<SchemaStanding> {
  const { database, path, migrates, migrations } = options
  const done = migrationsDone(database)
  const standing = judgeSchema(migrations, done)
  switch (standing.kind) {
    case 'current':
    case 'ahead':
      return standing
    case 'unreadable':
      throw unreadableSchema(path, standing.unknown)
    case 'behind':
      if (!migrates && done.size > 0) throw olderSchema(path, standing.missing)
      await carryOut(options, standing.missing)
      return { kind: 'current' }
    default:
      return standing satisfies never
  }
}

async function carryOut(
  { database, path, migrations }: MigrateOptions,
  missing: readonly string[],
): Promise<void> {
  // Kysely opens no transaction of its own here: it takes SQLite's schema changes for untransactional.
  const all: Record<string, Migration> = {}
  for (const { name, migration } of migrations) all[name] = migration
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

function migrationsDone(database: Database): DoneSteps {
  const has = (table: string) =>
    database.prepare(`select 1 from sqlite_master where type = 'table' and name = ?`).get(table) !==
    undefined
  if (!has('kysely_migration')) return new Map()
  const done = database.prepare<[], { name: string }>('select name from kysely_migration').all()
  const noted = has('schema_readers')
    ? database
        .prepare<[], { migration: string; oldest_reader: string }>(
          'select migration, oldest_reader from schema_readers',
        )
        .all()
    : []
  const readerOf = new Map(noted.map((row) => [row.migration, row.oldest_reader]))
  return new Map(done.map(({ name }) => [name, readerOf.get(name)]))
}
