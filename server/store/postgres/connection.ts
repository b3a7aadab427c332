/**
 * The connections to PostgreSQL: a pool for reads, another for reads that may lag, and one connection for
 * writes, whose transactions follow one another. Statements are prepared by name. A transaction that the
 * database undid is done again; one that was lost is UNAVAILABLE unless certainly nothing was committed.
 */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { openClient, placeName } from './open-client.ts'
import { createPool, type Lease, type Pool } from './pool.ts'
import type { PostgresConfig, PostgresTarget } from './postgres-config.ts'
import { createSession, type Session } from './session.ts'
import { ConnectionLost, mayRetry, toStoreError } from './store-error.ts'

/** How often a transaction is tried that the database undid, or whose connection was lost before its commit. */
const MAX_TRIES = 5

/** An end that no longer answers is not waited for longer than this. */
const GOODBYE_MS = 1_000

export interface Connection {
  /** On the primary, whatever connection is free; each statement for itself. */
  readonly reads: Session
  /** On the read-only database if there is one that answers: what it says may be outdated. */
  readonly laggingReads: Session
  /**
   * Runs `work` in a READ COMMITTED transaction of the one writing connection and commits. `work` may be run
   * again from its start: it must be pure apart from its statements.
   * @throws whatever `work` throws, after a rollback; IdentityError UNAVAILABLE
   */
  write<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** As `write` on a pooled connection, REPEATABLE READ and read only: one moment for several statements. */
  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** A connection of its own, for what belongs to a session: migrations, LISTEN, session locks. */
  openOwn(): Promise<OwnSession>
  /** Waits for what runs, then closes everything but what `openOwn` gave. May be called twice. */
  close(): Promise<void>
}

export interface OwnSession extends Session, AsyncDisposable {
  /** Aborts when the connection is gone, by whatever cause. */
  readonly lost: AbortSignal
  onNotification(listener: (channel: string, payload: string) => void): void
  /** Closes it at once, without goodbye: for an end that no longer answers. */
  cut(): void
}

export interface ConnectionDeps {
  readonly config: PostgresConfig
  readonly clock: Clock
  /** Told of every statement before it is carried out, without its values. */
  readonly onSql?: ((sql: string) => void) | undefined
}

/** Opens nothing yet: the first statement does. */
export function connect({ config, clock, onSql }: ConnectionDeps): Connection {
  const { primary, readOnly } = config
  const where = placeName(primary)
  const poolOf = (target: PostgresTarget, maxOpen: number, maxIdle: number) =>
    createPool({
      open: () => openClient(target, 'work'),
      ...{ maxOpen, maxIdle, clock, lifeMs: config.connectionLifeMs },
    })
  const writer = poolOf(plansOnce(primary), 1, 1)
  // The writer counts as one of those that may be open.
  const readers = poolOf(
    primary,
    Math.max(1, config.maxOpenConnections - 1),
    config.maxIdleConnections,
  )
  const lagging = readOnly && poolOf(readOnly, config.maxOpenConnections, config.maxIdleConnections)

  const reads = pooledSession(readers, where, onSql)
  return {
    reads,
    laggingReads:
      readOnly && lagging
        ? orElse(pooledSession(lagging, placeName(readOnly), onSql), reads)
        : reads,
    write: (work) => inTransaction({ pool: writer, where, onSql, begin: BEGIN_WRITE }, work),
    snapshot: (work) => inTransaction({ pool: readers, where, onSql, begin: BEGIN_SNAPSHOT }, work),
    openOwn: () => openOwn(primary, clock, onSql),
    close: async () => {
      await Promise.all([writer.close(), readers.close(), lagging?.close()])
    },
  }
}

/** Writes look their rows up one by one, whatever the size of the table: a plan made once saves a third of their cost. */
function plansOnce(target: PostgresTarget): PostgresTarget {
  return { ...target, options: `${target.options ?? ''} -c plan_cache_mode=auto` }
}

const BEGIN_WRITE = 'begin isolation level read committed read write'
const BEGIN_SNAPSHOT = 'begin isolation level repeatable read read only'

type OnSql = ConnectionDeps['onSql']

/** A read that finds its connection dead is asked once more on another: nothing happened yet. */
function pooledSession(pool: Pool, where: string, onSql: OnSql): Session {
  const ask = async <T>(what: (session: Session) => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      const lease = await pool.take()
      try {
        return await what(createSession(lease.live, onSql))
      } catch (error) {
        const isLost = error instanceof ConnectionLost || mayRetry(error)
        if (!isLost || tries >= MAX_TRIES) throw toStoreError(error, where)
        lease.release(false)
      } finally {
        lease.release(true)
      }
    }
  }
  return {
    all: (sql, ...values) => ask((session) => session.all(sql, ...values)),
    one: (sql, ...values) => ask((session) => session.one(sql, ...values)),
    run: (sql, ...values) => ask((session) => session.run(sql, ...values)),
  }
}

/** What `first` cannot answer now, `second` is asked. */
function orElse(first: Session, second: Session): Session {
  const ask = async <T>(what: (session: Session) => Promise<T>): Promise<T> => {
    try {
      return await what(first)
    } catch (error) {
      if (!(error instanceof IdentityError && error.code === 'UNAVAILABLE')) throw error
      return await what(second)
    }
  }
  return {
    all: (sql, ...values) => ask((session) => session.all(sql, ...values)),
    one: (sql, ...values) => ask((session) => session.one(sql, ...values)),
    run: (sql, ...values) => ask((session) => session.run(sql, ...values)),
  }
}

interface TransactionDeps {
  readonly pool: Pool
  readonly where: string
  readonly onSql: OnSql
  readonly begin: string
}

async function inTransaction<T>(
  deps: TransactionDeps,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const lease = await deps.pool.take()
    const outcome = await attempt(deps, lease, work)
    if (outcome.kind === 'committed') return outcome.value
    if (outcome.kind === 'failed' || tries >= MAX_TRIES)
      throw toStoreError(outcome.error, deps.where)
  }
}

type Outcome<T> =
  | { readonly kind: 'committed'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Certainly nothing was committed, and the cause may have passed. */
  | { readonly kind: 'undone'; readonly error: unknown }

async function attempt<T>(
  { begin, onSql, where }: TransactionDeps,
  lease: Lease,
  work: (session: Session) => Promise<T>,
): Promise<Outcome<T>> {
  const session = createSession(lease.live, onSql)
  let commits = false
  let isGood = false
  try {
    await session.run(begin)
    const value = await work(session)
    commits = true
    const { command } = await session.raw('commit')
    // After a statement that failed unnoticed, the database answers a commit by undoing everything.
    if (command !== 'COMMIT') throw new Error(`the database answered a commit with ${command}`)
    isGood = true
    return { kind: 'committed', value }
  } catch (error) {
    isGood = await session.run('rollback').then(
      () => true,
      () => false,
    )
    if (commits && error instanceof ConnectionLost)
      return { kind: 'failed', error: unsure(error, where) }
    const mayPass = mayRetry(error) || error instanceof ConnectionLost
    return mayPass ? { kind: 'undone', error } : { kind: 'failed', error }
  } finally {
    lease.release(isGood)
  }
}

/** Fails: the caller is told that it is not known, and never that it was done. */
function unsure(cause: ConnectionLost, where: string): IdentityError {
  return new IdentityError(
    'UNAVAILABLE',
    `database ${where}: the connection was lost at the commit, which may have taken effect or not; read it again, or try again`,
    { cause },
  )
}

async function openOwn(target: PostgresTarget, clock: Clock, onSql: OnSql): Promise<OwnSession> {
  const live = await openClient(target, 'stay')
  const where = placeName(target)
  const session = createSession(live, onSql)
  let last: Promise<unknown> = Promise.resolve()
  /** One statement at a time, in the order of the calls: several may use this connection. */
  const inOrder = <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = last.then(ask).catch((error: unknown) => {
      throw toStoreError(error, where)
    })
    last = answer.catch(() => {}) // whoever asked is told
    return answer
  }
  return {
    all: (sql, ...values) => inOrder(() => session.all(sql, ...values)),
    one: (sql, ...values) => inOrder(() => session.one(sql, ...values)),
    run: (sql, ...values) => inOrder(() => session.run(sql, ...values)),
    lost: live.lost,
    onNotification: (listener) => {
      live.client.on('notification', ({ channel, payload }) => listener(channel, payload ?? ''))
    },
    cut: live.cut,
    [Symbol.asyncDispose]: async () => {
      if (live.lost.aborted) return
      const ended = live.client.end().catch(() => {}) // it is gone either way
      await Promise.race([ended, clock.sleep(GOODBYE_MS, live.lost)])
      live.cut()
    },
  }
}
