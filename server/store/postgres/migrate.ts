/**
 * Brings a database to the present schema, all in one transaction: after a crash it is as before. Of servers
 * that start at the same time one does it and the others wait. A database written by a newer version is used only where
 * that version has noted that this one can, and one that older servers use is not changed into what those cannot use.
 * What was done is noted in the same table as in the embedded store.
 */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import {
  canFollow,
  type DoneSteps,
  judgeSchema,
  type SchemaStanding,
} from '../sql/schema-history.ts'
import { olderSchema, othersCannotFollow, unreadableSchema } from '../sql/schema-text.ts'
import { readDoneSteps } from './done-steps.ts'
import type { PostgresMigration } from './migrations.ts'
import { countsOfServers } from './schema-presence.ts'
import type { Session } from './session.ts'
import { MIGRATION_CLASS } from './write-keys.ts'

/** While a table is waited for, everybody else waits for it too: rather fail, and try again. */
const LOCK_PATIENCE = `set local lock_timeout = '3s'`

export interface MigrateOptions {
  /** A connection of its own: creating an index may take longer than any other statement. */
  readonly session: Session
  readonly clock: Clock
  /** Host and database, for messages. */
  readonly where: string
  /** Whether a database of an older version may be changed; a new one is always set up. */
  readonly migrates: boolean
  readonly migrations: readonly PostgresMigration[]
}

/** @returns what it is now: `current` or `ahead` @throws IdentityError UNAVAILABLE */
export async function migrate(options: MigrateOptions): Promise<SchemaStanding> {
  const { session, where } = options
  await session.run('begin isolation level read committed read write')
  try {
    await session.run(`select pg_advisory_xact_lock(${MIGRATION_CLASS}, 0)`)
    const standing = await bringUp(options)
    await session.run('commit')
    return standing
  } catch (error) {
    await session.run('rollback').catch(() => {}) // a connection that is lost is rolled back by the database
    if (error instanceof IdentityError) throw error
    throw new IdentityError(
      'UNAVAILABLE',
      `database ${where} cannot be brought to the schema of this version: ${reasonOf(error)}`,
      { cause: error },
    )
  }
}

async function bringUp(options: MigrateOptions): Promise<SchemaStanding> {
  const { session, where, migrates, migrations } = options
  const done = await migrationsDone(session)
  const standing = judgeSchema(migrations, done)
  switch (standing.kind) {
    case 'current':
    case 'ahead':
      return standing
    case 'unreadable':
      throw unreadableSchema(where, standing.unknown)
    case 'behind':
      break
    default:
      standing satisfies never
  }
  if (done.size > 0) {
    if (!migrates) throw olderSchema(where, standing.missing)
    await refuseIfOthersCannotFollow(options, standing.missing)
  }
  await session.run(LOCK_PATIENCE)
  await carryOut(
    options,
    migrations.filter(({ name }) => standing.missing.includes(name)),
  )
  return { kind: 'current' }
}

/** Fails closed: servers that run are asked for by what they hold, and none of them is left with what it cannot read. */
async function refuseIfOthersCannotFollow(
  { session, where, migrations }: MigrateOptions,
  missing: readonly string[],
): Promise<void> {
  const left = (await countsOfServers(session)).filter((count) => !canFollow(migrations, count))
  const running = left.map((count) => migrations[count - 1]?.name ?? 'of another history')
  if (running.length > 0) throw othersCannotFollow(where, missing, running)
}

async function carryOut(
  { session, clock }: MigrateOptions,
  missing: readonly PostgresMigration[],
): Promise<void> {
  for (const { name, statements } of missing) {
    for (const statement of statements) await session.run(statement)
    await session.run(
      'insert into kysely_migration (name, timestamp) values ($1, $2)',
      name,
      clock.now().toISOString(),
    )
  }
  // At the end, for the first of them make the table of this.
  for (const { name, oldestReader } of missing) {
    const noted = 'insert into schema_readers (migration, oldest_reader) values ($1, $2)'
    await session.run(noted, name, oldestReader)
  }
}

async function migrationsDone(session: Session): Promise<DoneSteps> {
  // Looked for first: who may not create tables can still use those that are there.
  const found = await session.one<{ migrations: boolean }>(
    "select to_regclass('kysely_migration') is not null as migrations",
  )
  if (found?.migrations !== true) {
    await session.run(
      'create table kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null)',
    )
    return new Map()
  }
  return await readDoneSteps(session)
}
