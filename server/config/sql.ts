/** The `sql` data store: which database, and how it is opened. Only one that is a file of this machine is offered. */
import { absent, idle } from '../../config/absent.ts'
import { placeOf, refine, required, section, withDefault } from '../../config/check.ts'
import { addRefusal, addWarning } from '../../config/mistake.ts'
import { count, milliseconds, text, truth } from '../../config/value.ts'
import { databaseType } from './database-type.ts'
import { IN_MEMORY, parseSqlitePath } from './sqlite-path.ts'

const LOCAL_FILE = 'for databases on the network; this one is a file of this machine'
const ONE_CONNECTION = 'a SQLite database is opened once'

const sqlKeys = section({
  database_type: required(databaseType(), 'kind of database'),
  connection_string: required(text('a path or a file: URI'), 'where the database is'),
  ro_connection_string: absent('database for reading only', undefined, LOCAL_FILE),
  root_ca_path: absent('CA of the database’s server', undefined, LOCAL_FILE),
  client_cert_path: absent('certificate for the database’s server', undefined, LOCAL_FILE),
  client_key_path: absent('key for the database’s server', undefined, LOCAL_FILE),
  max_open_conns: idle(count(), '100', ONE_CONNECTION, 'open connections'),
  max_idle_conns: idle(count(), '100', ONE_CONNECTION, 'idle connections'),
  conn_max_lifetime: idle(milliseconds(), '0s', ONE_CONNECTION, 'life of a connection'),
  disable_migration: withDefault(
    truth(),
    'false',
    'refuse to start on a database of an older version, instead of bringing it up to date',
  ),
  log_sql: withDefault(truth(), 'false', 'log every query, without its values, at level DEBUG'),
})

/** The connection string is read only once its kind is known: it is another language for each. */
export const sql = refine(sqlKeys, (read, { report }) => {
  if (read.database_type === undefined || read.connection_string === undefined) return undefined
  const place = placeOf(read, 'connection_string')
  try {
    const path = parseSqlitePath(read.connection_string)
    if (path === IN_MEMORY) {
      addWarning(
        report,
        place,
        'the database is in memory: everything is lost when the server stops',
      )
    }
    return { path }
  } catch (error) {
    addRefusal(report, place, 'plugins.DataStore.sql', error)
    return undefined
  }
})
