/** The `sql` data store: which database, and how it is opened. What belongs to another kind than the chosen one is told. */
import { userInfo } from 'node:os'
import { absent } from '../../config/absent.ts'
import {
  type Context,
  type Key,
  type Keys,
  optional,
  placeOf,
  type Read,
  refine,
  required,
  section,
  type Unsure,
  withDefault,
} from '../../config/check.ts'
import { addMistake, addRefusal, addWarning } from '../../config/mistake.ts'
import { milliseconds, text, truth, whole } from '../../config/value.ts'
import type { PostgresConfig, PostgresTarget } from '../store/postgres/postgres-config.ts'
import { databaseType } from './database-type.ts'
import { parsePostgresTarget } from './postgres-target.ts'
import { IN_MEMORY, parseSqlitePath } from './sqlite-path.ts'

export interface SqliteConfig {
  readonly kind: 'sqlite'
  readonly path: string
  readonly migrates: boolean
  readonly logsSql: boolean
}

/** Which store is opened, and with what. */
export type DataStoreConfig = SqliteConfig | PostgresConfig

const MYSQL_ONLY =
  'for MySQL, in SPIRE too; PostgreSQL takes sslrootcert, sslcert and sslkey in connection_string'
const DEFAULT_CONNECTIONS = 100
/** One to write with, one to read with. */
const LEAST_CONNECTIONS = 2
const MOST_CONNECTIONS = 1_000

/** Shown with its default, but left undefined when it is not written, so that SQLite can say that it has no use for it. */
const shown = <T>(key: Key<T>, fallback: string): Key<T> => ({ ...key, fallback })

const sqlKeys = section({
  database_type: required(databaseType(), 'kind of database'),
  connection_string: required(
    text('a path or a file: URI; for postgres name=value settings or a postgres:// URI'),
    'where the database is',
  ),
  ro_connection_string: optional(
    text('as connection_string'),
    'postgres: a standby for lists and counts of the API, which may lag behind',
  ),
  root_ca_path: absent('CA of the database’s server', undefined, MYSQL_ONLY),
  client_cert_path: absent('certificate for the database’s server', undefined, MYSQL_ONLY),
  client_key_path: absent('key for the database’s server', undefined, MYSQL_ONLY),
  max_open_conns: shown(
    optional(
      whole(
        LEAST_CONNECTIONS,
        MOST_CONNECTIONS,
        `a number from ${LEAST_CONNECTIONS} to ${MOST_CONNECTIONS}`,
      ),
      'postgres: most connections for reads and writes; a few more stay open for notifications and turns',
    ),
    String(DEFAULT_CONNECTIONS),
  ),
  max_idle_conns: shown(
    optional(
      whole(0, MOST_CONNECTIONS, `a number from 0 to ${MOST_CONNECTIONS}`),
      'postgres: most connections that are kept when nobody needs them',
    ),
    String(DEFAULT_CONNECTIONS),
  ),
  conn_max_lifetime: optional(
    milliseconds(),
    'postgres: connections are made anew after this time; when left out they live as long as they work',
  ),
  disable_migration: withDefault(
    truth(),
    'false',
    'refuse to start on a database of an older version, instead of bringing it up to date',
  ),
  log_sql: withDefault(truth(), 'false', 'log every query, without its values, at level DEBUG'),
})

type SqlKeys = typeof sqlKeys extends { readonly keys: infer S extends Keys } ? S : never
type Written = Unsure<Read<SqlKeys>>

/** The connection string is read only once its kind is known: it is another language for each. */
export const sql = refine(sqlKeys, (read, context): { store: DataStoreConfig } | undefined => {
  if (read.database_type === undefined || read.connection_string === undefined) return undefined
  const common = { migrates: read.disable_migration !== true, logsSql: read.log_sql === true }
  if (read.database_type === 'postgres') {
    const postgres = postgresConfig(read, context)
    return postgres && { store: { kind: 'postgres', ...postgres, ...common } }
  }
  const path = sqlitePath(read, read.connection_string, context)
  return path === undefined ? undefined : { store: { kind: 'sqlite', path, ...common } }
})

function sqlitePath(
  read: Written,
  connectionString: string,
  { report }: Context,
): string | undefined {
  if (read.ro_connection_string !== undefined) {
    addMistake(
      report,
      placeOf(read, 'ro_connection_string'),
      'plugins.DataStore.sql.ro_connection_string is for databases on the network; SQLite is a file of this machine',
      'it to be left out',
    )
  }
  for (const key of ['max_open_conns', 'max_idle_conns', 'conn_max_lifetime'] as const) {
    if (read[key] === undefined) continue
    addWarning(
      report,
      placeOf(read, key),
      `plugins.DataStore.sql.${key} has no effect: a SQLite database is opened once`,
    )
  }
  const place = placeOf(read, 'connection_string')
  try {
    const path = parseSqlitePath(connectionString)
    if (path === IN_MEMORY) {
      addWarning(
        report,
        place,
        'the database is in memory: everything is lost when the server stops',
      )
    }
    return path
  } catch (error) {
    addRefusal(report, place, 'plugins.DataStore.sql', error)
    return undefined
  }
}

function postgresConfig(read: Written, { report, readText }: Context) {
  const target = (
    key: 'connection_string' | 'ro_connection_string',
  ): PostgresTarget | undefined => {
    const written = read[key]
    if (written === undefined) return undefined
    const place = placeOf(read, key)
    try {
      return parsePostgresTarget({
        text: written,
        account: account(),
        readText,
        onWarning: (message) =>
          addWarning(report, place, `plugins.DataStore.sql.${key}: ${message}`),
      })
    } catch (error) {
      addRefusal(report, place, `plugins.DataStore.sql (${key})`, error)
      return undefined
    }
  }
  const primary = target('connection_string')
  const readOnly = target('ro_connection_string')
  if (primary === undefined) return undefined
  return {
    primary,
    // A standby is just what is meant here.
    readOnly: readOnly && { ...readOnly, wants: 'any' as const },
    maxOpenConnections: read.max_open_conns ?? DEFAULT_CONNECTIONS,
    maxIdleConnections: read.max_idle_conns ?? DEFAULT_CONNECTIONS,
    connectionLifeMs: read.conn_max_lifetime,
  }
}

/** In a container the account may have no name. */
function account(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
