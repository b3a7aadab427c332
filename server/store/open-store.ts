/** Opens the store that the configuration names: embedded in a file, or a PostgreSQL that several servers share. */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import type { DataStoreConfig } from '../config/sql.ts'
import { openStore as openSqlite } from './sqlite/open-store.ts'
import type { Store } from './store.ts'

export interface OpenStoreDeps {
  readonly clock: Clock
  readonly random: Random
  /** What this server is called where people look for who holds a turn. */
  readonly holder: string
  readonly log: Log
}

/** @throws IdentityError UNAVAILABLE saying why it cannot be opened */
export async function openStore(config: DataStoreConfig, deps: OpenStoreDeps): Promise<Store> {
  const { clock, random, holder, log } = deps
  const sqlLog = log.child({ component: 'sql' })
  const onAhead = (migration: string) =>
    sqlLog.info({ migration }, 'The database is of the next version, which this one works with')
  const onSql = config.logsSql ? (sql: string) => sqlLog.debug({ sql }, 'Query') : undefined
  switch (config.kind) {
    case 'sqlite':
      return await openSqlite({
        ...{ path: config.path, migrates: config.migrates, clock, onSql, onAhead },
      })
    case 'postgres': {
      // Here, because a server with a file of its own starts sooner without it.
      const { openStore: openPostgres } = await import('./postgres/open-store.ts')
      const onFailure = (err: unknown) => sqlLog.warn({ err }, 'Connection to the database lost')
      return await openPostgres({ config, clock, random, holder, onSql, onFailure, onAhead })
    }
    default:
      return config satisfies never
  }
}
