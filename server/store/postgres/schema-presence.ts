/**
 * Tells who migrates which programs run on the database: each server holds a lock that says how many migrations it knows,
 * for as long as its connection lives. No server can begin or come back unseen beside a migration, for either waits for the other.
 *
 * @see https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS — held until the session ends
 */
import type { IdentityError } from '../../../spiffe/error.ts'
import { judgeSchema, type SchemaStep } from '../sql/schema-history.ts'
import { unreadableSchema } from '../sql/schema-text.ts'
import { readDoneSteps } from './done-steps.ts'
import type { Session } from './session.ts'
import { MIGRATION_CLASS, SCHEMA_CLASS } from './write-keys.ts'

/** How many migrations each of the running servers knows; each number once. */
export async function countsOfServers(session: Session): Promise<readonly number[]> {
  const rows = await session.all<{ count: number }>(
    `select distinct objid::bigint as count from pg_locks
      where locktype = 'advisory' and classid = ${SCHEMA_CLASS} and objsubid = 2 and granted
        and database = (select oid from pg_database where datname = current_database())
      order by 1`,
  )
  return rows.map(({ count }) => count)
}

/**
 * Is seen as long as the session lives. Waits for a migration that goes on.
 * @returns why the database cannot be used any more: it was migrated beyond this program while it was not seen
 */
export async function beSeen(
  session: Session,
  migrations: readonly SchemaStep[],
  where: string,
): Promise<IdentityError | undefined> {
  await session.run('begin isolation level read committed read only')
  await session.run(`select pg_advisory_xact_lock_shared(${MIGRATION_CLASS}, 0)`)
  await session.run(`select pg_advisory_lock_shared(${SCHEMA_CLASS}, ${migrations.length})`)
  const standing = judgeSchema(migrations, await readDoneSteps(session))
  await session.run('commit')
  return standing.kind === 'unreadable' ? unreadableSchema(where, standing.unknown) : undefined
}
