/**
 * Opens the PostgreSQL store. As many servers as one likes share it: what each commits, the others hear of,
 * and what must be done by one of them only is done in turns.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../spiffe/clock.ts'
import type { IdentityError } from '../../../spiffe/error.ts'
import type { Random } from '../../../spiffe/random.ts'
import type { Store } from '../store.ts'
import { bundleStore } from './bundle-store.ts'
import { caJournalStore } from './ca-journal-store.ts'
import { changeLog } from './change-log.ts'
import { createCommitListeners } from './commit-listeners.ts'
import { type Connection, connect } from './connection.ts'
import { postgresDump } from './dump.ts'
import { entryStore } from './entry-store.ts'
import { federationStore } from './federation-store.ts'
import { joinTokenStore } from './join-token-store.ts'
import { listenChanges } from './listen-changes.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS, type PostgresMigration } from './migrations.ts'
import { nodeStore } from './node-store.ts'
import { placeName } from './open-client.ts'
import type { PostgresConfig } from './postgres-config.ts'
import { beSeen } from './schema-presence.ts'
import { serverRegistry } from './server-registry.ts'
import type { Session } from './session.ts'
import { openTurns } from './turns.ts'
import { createWriteQueue } from './write-queue.ts'

export interface OpenPostgresOptions {
  readonly config: PostgresConfig
  readonly clock: Clock
  readonly random: Random
  /** What this server is called where people look for who holds a turn. */
  readonly holder: string
  /** IDs for entries whose creator chose none; random UUIDs if not given. */
  readonly randomId?: (() => string) | undefined
  /** Told of every statement that is carried out, without its values: those may be secret. */
  readonly onSql?: ((sql: string) => void) | undefined
  /** A connection of those that are kept open was lost, or cannot be made; it is tried again. */
  readonly onFailure: (error: unknown) => void
  /** The database is one migration, of this name, ahead of this version, which can go on. */
  readonly onAhead?: ((migration: string) => void) | undefined
  /** Those of this version if not given. */
  readonly migrations?: readonly PostgresMigration[] | undefined
}

/** @throws IdentityError UNAVAILABLE when the database cannot be reached or is of another version */
export async function openStore(options: OpenPostgresOptions): Promise<Store> {
  const { config, clock, random, holder, onSql, onFailure, randomId = randomUUID } = options
  const where = placeName(config.primary)
  const connection = connect({ config, clock, onSql })
  await prepare(connection, options, where)

  const listeners = createCommitListeners()
  const queue = createWriteQueue({ connection, clock, where, onCommit: listeners.tell })
  const deps = { connection, queue, clock, randomId }
  const { openOwn } = connection
  const seen = keepSeen(options, where)
  const turns = openTurns({ openOwn, holder, clock, random, onFailure })
  const stop = new AbortController()
  const listening = listenChanges(
    {
      ...{ connection, clock, greet: seen.greet, onFailure },
      ...{ onNews: listeners.tell, onHearing: listeners.setHearing },
    },
    stop.signal,
  )
  const close = async () => {
    stop.abort()
    await turns.close()
    await queue.close()
    await Promise.all([listening, connection.close()])
  }
  return {
    entries: entryStore(deps),
    nodes: nodeStore(deps),
    joinTokens: joinTokenStore(deps),
    bundles: bundleStore(deps),
    federation: federationStore(deps),
    caJournal: caJournalStore(deps),
    servers: serverRegistry(deps),
    changes: changeLog(connection, listeners),
    dump: postgresDump(connection),
    turns,
    checkHealth: async () => {
      seen.mustFit()
      await connection.reads.one('select "only" from change_log')
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function prepare(
  connection: Connection,
  { clock, config, onAhead, migrations = MIGRATIONS }: OpenPostgresOptions,
  where: string,
): Promise<void> {
  try {
    await using session = await connection.openOwn()
    const { migrates } = config
    const standing = await migrate({ session, clock, where, migrates, migrations })
    if (standing.kind === 'ahead') onAhead?.(standing.by)
  } catch (error) {
    await connection.close()
    throw error
  }
}

/**
 * Whoever migrates sees that this server runs, while its connection lives. One that was cut off while the database was migrated
 * beyond it is not ready any more, so that nobody is sent to it, and would be refused if it were started anew.
 */
function keepSeen({ migrations = MIGRATIONS }: OpenPostgresOptions, where: string) {
  let unfit: IdentityError | undefined
  return {
    async greet(session: Session): Promise<void> {
      unfit = await beSeen(session, migrations, where)
      if (unfit !== undefined) throw unfit
    },
    /** @throws IdentityError UNAVAILABLE */
    mustFit(): void {
      if (unfit !== undefined) throw unfit
    },
  }
}
