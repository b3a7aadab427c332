/**
 * The statements behind turns. A turn is an advisory lock of a session, in the space of two integers: the first one tells
 * turns from whatever else takes advisory locks in the same database, the second one is made of schema and name.
 */
import { createHash } from 'node:crypto'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Session } from './session.ts'

/** `stpl` */
const SPACE = 0x7374706c
/** Advisory locks by two integers, as pg_locks tells them from those by one. */
const BY_TWO = 2

const HELD = `from pg_locks l
where l.locktype = 'advisory' and l.granted and l.objsubid = ${BY_TWO} and l.classid = $1::int8::oid
and l.database = (select oid from pg_database where datname = current_database())`

/** PostgreSQL cuts longer names of sessions. */
const MAX_APPLICATION_BYTES = 63

/** Only what this version has is set. */
const SET = `select set_config(name, $2, false) from pg_settings where name = $1`

const TRY = `select wanted.key, pg_try_advisory_lock($1::int, wanted.key) as taken
from unnest($2::int[]) as wanted (key)`
const OWN = `select l.objid::int8 as key ${HELD} and l.pid = pg_backend_pid()`
const ALL = `select l.objid::int8 as key, coalesce(a.application_name, '') as application,
l.pid = pg_backend_pid() as "isOwn" from pg_stat_activity a, lateral (select l.* ${HELD}) l where a.pid = l.pid`

export type TurnKey = number

/** Stores in schemas of one database do not take each other's turns. */
export function turnKey(schema: string, name: string): TurnKey {
  return createHash('sha256').update(`${schema}\0${name}`).digest().readInt32BE(0)
}

/**
 * Names the session, and lets the database end it after a silence: of a process that was stopped, or behind a network that
 * swallows everything. Before PostgreSQL 14 there is no such setting, and only the probes of TCP do so.
 * @returns the schema of the store @throws IdentityError UNAVAILABLE
 */
export async function prepareSession(
  session: Session,
  application: string,
  silenceMs: number,
): Promise<string> {
  await session.all(SET, 'application_name', application.slice(0, MAX_APPLICATION_BYTES))
  await session.all(SET, 'idle_session_timeout', String(silenceMs))
  const row = await session.one<{ schema: string | null }>('select current_schema() as schema')
  return row?.schema ?? ''
}

/** Never waits. @returns those that were granted @throws IdentityError UNAVAILABLE */
export async function tryLocks(
  session: Session,
  keys: readonly TurnKey[],
): Promise<ReadonlySet<TurnKey>> {
  if (keys.length === 0) return new Set()
  const rows = await session.all<{ key: number; taken: boolean }>(TRY, SPACE, keys)
  return new Set(rows.filter(({ taken }) => taken).map(({ key }) => key))
}

/**
 * Fails closed: a lock that the database does not show was not granted, whatever it answered. Behind a pooler that hands
 * sessions around, and on engines that only pretend to have advisory locks, nobody holds any turn.
 * @throws IdentityError UNAVAILABLE
 */
export async function mustOwnLocks(
  session: Session,
  keys: ReadonlyMap<TurnKey, string>,
): Promise<void> {
  const rows = await session.all<{ key: number }>(OWN, SPACE)
  const own = new Set(rows.map(({ key }) => signed(key)))
  for (const [key, name] of keys) {
    if (own.has(key)) continue
    const seen = `the database does not show the advisory lock of the turn ${JSON.stringify(name)} which it granted to this session`
    const advice = 'connect to PostgreSQL itself, or to a pooler in session mode'
    throw new IdentityError('UNAVAILABLE', `${seen}; ${advice}`)
  }
}

/** @throws IdentityError UNAVAILABLE */
export async function unlock(session: Session, key: TurnKey): Promise<void> {
  await session.all('select pg_advisory_unlock($1::int, $2::int)', SPACE, key)
}

export interface LockHolder {
  readonly key: TurnKey
  readonly application: string
  readonly isOwn: boolean
}

/** What all servers hold. @throws IdentityError UNAVAILABLE */
export async function readHolders(session: Session): Promise<readonly LockHolder[]> {
  const rows = await session.all<LockHolder>(ALL, SPACE)
  return rows.map((row) => ({ ...row, key: signed(row.key) }))
}

/** pg_locks shows both integers as they are without a sign. */
function signed(shown: number): TurnKey {
  return shown | 0
}
