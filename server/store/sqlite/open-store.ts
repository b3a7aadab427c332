/**
 * Opens the SQLite store. One server at a time: the file is locked by the kernel for as long as the
 * process lives, so a second server is refused and a killed one leaves nothing to clean up.
 */
import { randomUUID } from 'node:crypto'
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import type { Store } from '../store.ts'
import { bundleStore } from './bundle-store.ts'
import { caJournalStore } from './ca-journal-store.ts'
import { changeLog, insertChange, latestSequence } from './change-log.ts'
import { checkPages, isDamage, RESTORE } from './check-pages.ts'
import { checkWal } from './check-wal.ts'
import { connect } from './connection.ts'
import { sqliteDump } from './dump.ts'
import { entryStore } from './entry-store.ts'
import { federationStore } from './federation-store.ts'
import { joinTokenStore } from './join-token-store.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS, type SqliteMigration } from './migrations.ts'
import { nodeStore } from './node-store.ts'
import { serverRegistry } from './server-registry.ts'
import { openTurns } from './turns.ts'
import { createWriteQueue } from './write-queue.ts'

export interface OpenStoreOptions {
  /** The database file, created if its directory exists; `:memory:` keeps nothing. */
  readonly path: string
  readonly clock: Clock
  /** IDs for entries whose creator chose none; random UUIDs if not given. */
  readonly randomId?: (() => string) | undefined
  /** False: a database of an older version is refused. True if not given. */
  readonly migrates?: boolean | undefined
  /** Told of every statement that is carried out, without its values: those may be secret. */
  readonly onSql?: ((sql: string) => void) | undefined
  /** How long to wait for another server that is just shutting down; 2 s if not given. */
  readonly lockWaitMs?: number | undefined
  /** The database is one migration, of this name, ahead of this version, which can go on. */
  readonly onAhead?: ((migration: string) => void) | undefined
  /** Those of this version if not given. */
  readonly migrations?: readonly SqliteMigration[] | undefined
}

const LOCK_WAIT_MS = 2_000

/** A write-ahead log that grew beyond this in a burst is cut back afterwards. */
const MAX_KEPT_JOURNAL_BYTES = 64 * 1024 * 1024

/** @throws IdentityError UNAVAILABLE when the file cannot be opened or another server has it */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { clock, randomId = randomUUID, lockWaitMs = LOCK_WAIT_MS, migrates = true } = options
  const { migrations = MIGRATIONS } = options
  const path = options.path === ':memory:' ? options.path : resolve(options.path)
  const database = openDatabase(path, lockWaitMs)
  try {
    checkPages(database, path)
    const standing = await migrate({ database, path, migrates, migrations })
    if (standing.kind === 'ahead') options.onAhead?.(standing.by)
  } catch (error) {
    database.close()
    throw error
  }
  const connection = connect(database, options.onSql)
  const listeners = new Set<(sequence: number) => void>()
  const queue = createWriteQueue({
    connection,
    recordChange: (kind, key) => insertChange(connection, kind, key, clock.now()),
    onCommit: () => {
      const sequence = latestSequence(connection)
      for (const listener of listeners) listener(sequence)
    },
  })
  const deps = { connection, queue, clock, randomId }
  const turns = openTurns(clock)
  const close = async () => {
    await turns.close()
    await queue.close()
    connection.close()
  }
  return {
    entries: entryStore(deps),
    nodes: nodeStore(deps),
    joinTokens: joinTokenStore(deps),
    bundles: bundleStore(deps),
    federation: federationStore(deps),
    caJournal: caJournalStore(deps),
    servers: serverRegistry(deps),
    changes: changeLog(connection, queue, listeners),
    turns,
    dump: sqliteDump({ database, connection, queue, path }),
    checkHealth: () =>
      connection.read(() => {
        connection.one('select only from change_log')
      }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function openDatabase(path: string, lockWaitMs: number): Database {
  if (path !== ':memory:') {
    createPrivately(path)
    checkWal(path)
  }
  let database: Database | undefined
  try {
    database = new Sqlite(path, { timeout: lockWaitMs })
    // In this mode the first read takes the file's lock and keeps it; the kernel drops it with the process.
    database.pragma('locking_mode = exclusive')
    database.pragma('journal_mode = wal')
    database.pragma('synchronous = full')
    database.pragma('foreign_keys = on')
    database.pragma(`journal_size_limit = ${MAX_KEPT_JOURNAL_BYTES}`)
    database.exec('begin exclusive; commit')
    return database
  } catch (error) {
    database?.close()
    throw openError(path, error)
  }
}

/** Creates the file for its owner only; SQLite gives the files beside it the same mode. */
function createPrivately(path: string): void {
  const directory = dirname(path)
  if (!existsSync(directory)) {
    throw new IdentityError(
      'UNAVAILABLE',
      `cannot open database ${path}: directory ${directory} does not exist, create it first`,
    )
  }
  try {
    // Never open and close a file that exists: that would drop this process's own lock on it (POSIX).
    if (existsSync(path)) chmodSync(path, 0o600)
    else closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    throw openError(path, error)
  }
}

function openError(path: string, cause: unknown): IdentityError {
  const isBusy = cause instanceof Sqlite.SqliteError && cause.code.startsWith('SQLITE_BUSY')
  const why = isBusy
    ? 'another server has it open; SQLite serves one server at a time: stop the other one or choose another path'
    : `${reasonOf(cause)}${isDamage(cause) ? `; ${RESTORE}` : ''}`
  return new IdentityError('UNAVAILABLE', `cannot open database ${path}: ${why}`, { cause })
}
