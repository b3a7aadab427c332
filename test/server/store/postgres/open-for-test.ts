/** A store on a database of a PostgreSQL that the tests have started; the database is made when it is first named. */
import { randomUUID } from 'node:crypto'
import { connect } from '../../../../server/store/postgres/connection.ts'
import { openStore } from '../../../../server/store/postgres/open-store.ts'
import type {
  PostgresConfig,
  PostgresTarget,
} from '../../../../server/store/postgres/postgres-config.ts'
import type { Store } from '../../../../server/store/store.ts'
import { type Clock, systemClock } from '../../../../spiffe/clock.ts'
import type { Postgres } from '../../../processes/postgres.ts'

export interface OpenForTest {
  readonly clock?: Clock
  readonly randomId?: () => string
  readonly migrates?: boolean
  readonly onSql?: (sql: string) => void
  readonly holder?: string
  readonly user?: string
  /** Where reads that may lag go. */
  readonly copy?: string
}

export function configOf(
  postgres: Postgres,
  database: string,
  { migrates = true, user = 'steeple', copy }: OpenForTest = {},
): PostgresConfig {
  const target = (database: string): PostgresTarget => ({
    hosts: [{ host: postgres.directory, port: postgres.port }],
    user,
    password: undefined,
    database,
    applicationName: 'steeple test',
    options: undefined,
    wants: 'any',
    connectTimeoutMs: 5_000,
    tls: { mode: 'disable', roots: undefined, client: undefined },
  })
  return {
    kind: 'postgres',
    primary: target(database),
    readOnly: copy === undefined ? undefined : target(copy),
    maxOpenConnections: 5,
    maxIdleConnections: 5,
    connectionLifeMs: undefined,
    migrates,
    logsSql: false,
  }
}

export async function openPostgresStore(
  postgres: Postgres,
  database: string,
  options: OpenForTest = {},
): Promise<Store> {
  return await openStore({
    config: configOf(postgres, database, options),
    clock: options.clock ?? systemClock,
    random: () => 0,
    holder: options.holder ?? 'test',
    onFailure: () => {},
    randomId: options.randomId ?? randomUUID,
    onSql: options.onSql,
  })
}

/** Every table but the list of migrations; without triggers, their order does not matter. */
const EMPTY = `do $$ declare name text; begin
  set local session_replication_role = replica;
  for name in select tablename from pg_tables where schemaname = current_schema()
    and tablename not in ('kysely_migration', 'schema_readers', 'change_log')
  loop execute format('delete from %I', name); end loop;
  update change_log set latest = 0, pruned_through = 0;
end $$`

/** Much faster than a new database for each test. */
export async function emptyDatabase(postgres: Postgres, database: string): Promise<void> {
  const connection = connect({ config: configOf(postgres, database), clock: systemClock })
  await connection.reads.run(EMPTY)
  await connection.close()
}
