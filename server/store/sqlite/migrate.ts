/**
 * Brings a database to the present schema, all in one transaction: after a crash it is as before.
 * A database written by a newer version is used only where that version has noted that this one can.
 */
import type { Database } from 'better-sqlite3'
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
      // Here, because a database of this version, which is nearly every one, is served sooner without it.
      await (await import('./carry-out.ts')).carryOut(options, standing.missing)
      return { kind: 'current' }
    default:
      return standing satisfies never
  }
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
