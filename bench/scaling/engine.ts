/** The databases that a server is measured on: a file of its own, or a PostgreSQL of the run's own that counts its statements. */
import type { Server } from '../../test/processes/cluster.ts'
import { startServer } from '../../test/processes/cluster.ts'
import { type Postgres, startPostgres } from '../../test/processes/postgres.ts'

export type Engine = 'sqlite' | 'postgres'

export interface Measured extends AsyncDisposable {
  readonly engine: Engine
  readonly server: Server
  /** There only under that engine. */
  readonly postgres: Postgres | undefined
  /** For a further server on the same database; undefined: there can be none. */
  readonly dataStore: string | undefined
}

export const DATABASE = 'scaling'

/** As a database is run that is to keep what it was told; the starter's own settings are for tests. */
const SETTINGS = [
  'fsync=on',
  'full_page_writes=on',
  'shared_buffers=256MB',
  'shared_preload_libraries=pg_stat_statements',
  'pg_stat_statements.save=off',
]

/** A server on an empty database. */
export async function openMeasured(engine: Engine): Promise<Measured> {
  await using stack = new AsyncDisposableStack()
  if (engine === 'sqlite') {
    const server = stack.use(await startServer('steeple'))
    const opened = stack.move()
    return {
      engine,
      server,
      ...{ postgres: undefined, dataStore: undefined },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  }
  const postgres = stack.use(await startPostgres({ settings: SETTINGS }))
  await postgres.sql('create extension pg_stat_statements')
  const where = await postgres.createDatabase(DATABASE)
  const dataStore = `database_type = "postgres"  connection_string = "${where}"`
  const server = stack.use(await startServer('steeple', { dataStore }))
  const opened = stack.move()
  return { engine, server, postgres, dataStore, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
