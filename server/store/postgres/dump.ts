/**
 * The content of the PostgreSQL store as rows, there and back: one REPEATABLE READ transaction reads by cursors while
 * others write, one transaction loads, alone with the tables, and tells every server to load everything anew.
 */
import { IdentityError } from '../../../spiffe/error.ts'
import {
  type ColumnKind,
  columnsOf,
  DERIVED_TABLES,
  DUMPED_TABLE_NAMES,
  type DumpedTable,
  type DumpRow,
  type DumpValue,
  kindsOf,
  type LoadOptions,
  ROWS_AT_ONCE,
  type RowCounts,
  type Snapshot,
  type StoreDump,
} from '../dump.ts'
import { CHANGES_CHANNEL } from './change-log.ts'
import type { Connection } from './connection.ts'
import type { Session } from './session.ts'

/** Who reads or writes the file may be slow; what a session of ours is limited to otherwise is far less. */
const PATIENCE = `set local idle_in_transaction_session_timeout = '10min'`
/** Whoever holds a table for longer is told of: a restore does not wait for ever. */
const LOCK_PATIENCE = `set local lock_timeout = '30s'`
const EVERY_TABLE = [...DUMPED_TABLE_NAMES, 'join_tokens', 'changes', 'change_log']

const ARRAY_OF: Readonly<Record<ColumnKind, string>> = {
  text: 'text[]',
  'text?': 'text[]',
  integer: 'bigint[]',
  'integer?': 'bigint[]',
  bytes: 'bytea[]',
}

export function postgresDump({ openOwn, reads }: Pick<Connection, 'openOwn' | 'reads'>): StoreDump {
  return {
    async snapshot() {
      const session = await openOwn()
      try {
        return await openSnapshot(session)
      } catch (error) {
        await session[Symbol.asyncDispose]()
        throw error
      }
    },
    count: () => countRows(reads),
    async load(rows, options) {
      // Closing it undoes everything that was not committed.
      await using session = await openOwn()
      await session.run('begin isolation level read committed read write')
      await session.run(PATIENCE)
      await session.run(LOCK_PATIENCE)
      await session.run(`lock table ${EVERY_TABLE.join(', ')} in access exclusive mode`)
      await makeRoom(session, options)
      for await (const batch of rows) await insertRows(session, batch)
      await deriveRows(session)
      await startChangeLog(session, options)
      await session.run('commit')
    },
  }
}

async function openSnapshot(session: Session & AsyncDisposable): Promise<Snapshot> {
  await session.run('begin isolation level repeatable read read only')
  await session.run(PATIENCE)
  const log = await session.one<{ latest: number }>('select latest from change_log')
  return {
    latestSequence: log?.latest ?? 0,
    rows: (tables) => rowsOf(session, tables),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

async function* rowsOf(
  session: Session,
  tables: readonly DumpedTable[],
): AsyncGenerator<readonly DumpRow[], void, undefined> {
  for (const table of tables) {
    const columns = columnsOf(table)
    await session.run(
      `declare dumped no scroll cursor for select ${columns.join(', ')} from ${table} order by 1`,
    )
    try {
      for (;;) {
        // The columns are those of the table: texts, numbers, bytes and nothing else.
        const rows = await session.all<Readonly<Record<string, DumpValue>>>(
          `fetch ${ROWS_AT_ONCE} from dumped`,
        )
        if (rows.length === 0) break
        yield rows.map((row) => ({ table, values: columns.map((column) => row[column] ?? null) }))
      }
    } finally {
      // Also when the reader stops early; after a failure there is no cursor left, and that failure counts.
      await session.run('close dumped').catch(() => {})
    }
  }
}

async function countRows(session: Session): Promise<RowCounts> {
  const counts = DUMPED_TABLE_NAMES.map((table) => `(select count(*) from ${table}) as ${table}`)
  const row = await session.one<RowCounts>(`select ${counts.join(', ')}`)
  if (row === undefined) throw new Error('a query without a condition has no row')
  return row
}

async function makeRoom(session: Session, { replaces }: LoadOptions): Promise<void> {
  const present = await countRows(session)
  const filled = DUMPED_TABLE_NAMES.filter((table) => present[table] > 0)
  if (filled.length > 0 && !replaces) {
    const seen = filled.map((table) => `${present[table]} in ${table}`).join(', ')
    throw new IdentityError('PRECONDITION_FAILED', `the store is not empty: it has rows (${seen})`)
  }
  for (const { table } of DERIVED_TABLES) await session.run(`delete from ${table}`)
  for (const table of DUMPED_TABLE_NAMES.toReversed()) await session.run(`delete from ${table}`)
  await session.run('delete from join_tokens')
  // Whoever was paused or cut off meanwhile stops at its next beat instead of going on with what was there.
  await session.run("update servers set incarnation = ''")
}

async function insertRows(session: Session, batch: readonly DumpRow[]): Promise<void> {
  for (const table of DUMPED_TABLE_NAMES) {
    const rows = batch.filter((row) => row.table === table)
    if (rows.length === 0) continue
    const columns = columnsOf(table)
    const arrays = kindsOf(table).map((kind, index) => `$${index + 1}::${ARRAY_OF[kind]}`)
    await session.run(
      `insert into ${table} (${columns.join(', ')}) select * from unnest(${arrays.join(', ')})`,
      ...columns.map((_, index) => rows.map(({ values }) => values[index] ?? null)),
    )
  }
}

async function deriveRows(session: Session): Promise<void> {
  for (const { table, key, value, of, list } of DERIVED_TABLES) {
    await session.run(
      `insert into ${table} (${key}, ${value})
        select source.row, item from ${of} as source,
          jsonb_array_elements_text(source.${list}::jsonb) as item
        on conflict do nothing`,
    )
  }
  for (const table of ['entries', 'nodes']) {
    await session.run(
      `select setval(pg_get_serial_sequence('${table}', 'row'),
        (select coalesce(max(row), 0) + 1 from ${table}), false)`,
    )
  }
}

/** Whoever follows the log is told that what it knows is pruned. */
async function startChangeLog(session: Session, { sequence }: LoadOptions): Promise<void> {
  await session.run('delete from changes')
  await session.run(
    `with started as (
      update change_log set latest = greatest($1::bigint, latest + 1),
        pruned_through = greatest($1::bigint, latest + 1) returning latest
    ) select pg_notify('${CHANGES_CHANNEL}', latest::text) from started`,
    sequence,
  )
}
