/**
 * What a transaction writes, as names that are locked before its first statement: of several servers one at
 * a time writes what has the same name, also what is not there yet and so has no row to lock. Because all
 * names of a transaction are locked at once and in one order, two transactions never wait for each other
 * over them.
 *
 * @see https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
 */
import { createHash } from 'node:crypto'
import type { Session } from './session.ts'

export type WriteKey =
  | `bundle/${string}`
  | `entry/${string}`
  | `federation/${string}`
  | `node/${string}`
  /** Held by what creates an entry: of similar ones created at the same time, one is created. */
  | `similar/${string}`

/**
 * The database has room for 64 locks for each connection that it allows, 6,400 if nothing else is
 * configured, for everybody together. Who writes more names than this locks all names at once.
 */
export const MAX_LOCKED_KEYS = 256

/** The first of an advisory lock's two numbers says what it is about, so that names cannot meet by chance. */
const ANY_KEY_CLASS = 0x5354_0001
const KEY_CLASS = 0x5354_0002
export const MIGRATION_CLASS = 0x5354_0003
/** With the number of migrations that a running server knows. */
export const SCHEMA_CLASS = 0x5354_0004

const LOCK_SOME = `with any_key as materialized (
    select pg_advisory_xact_lock_shared(${ANY_KEY_CLASS}, 0)
  ) select pg_advisory_xact_lock(${KEY_CLASS}, keys.key)
    from any_key cross join unnest($1::int[]) as keys (key)`
const LOCK_ALL = `select pg_advisory_xact_lock(${ANY_KEY_CLASS}, 0)`

/** Waits until nobody else holds one of them; they are free again when the transaction ends. */
export async function lockKeys(session: Session, keys: ReadonlySet<WriteKey>): Promise<void> {
  if (keys.size === 0) return
  if (keys.size > MAX_LOCKED_KEYS) {
    await session.run(LOCK_ALL)
    return
  }
  // Two names of one number only wait for each other.
  const numbers = new Set([...keys].map(numberOf))
  await session.run(
    LOCK_SOME,
    [...numbers].sort((a, b) => a - b),
  )
}

function numberOf(key: WriteKey): number {
  return createHash('sha256').update(key).digest().readInt32BE(0)
}
