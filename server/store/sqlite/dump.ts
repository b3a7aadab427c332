/**
 * The content of the SQLite store as rows, there and back. A snapshot is SQLite's own online backup, made beside the
 * database while writes go on, and gone when it has been read. What is loaded waits in temporary tables, so that it becomes
 * the content of the store in one write.
 */
import { closeSync, openSync, rmSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Sqlite, { type Database, type Statement } from 'better-sqlite3'
import { IdentityError } from '../../../spiffe/error.ts'
import {
  columnsOf,
  DERIVED_TABLES,
  DUMPED_TABLE_NAMES,
  type DumpedTable,
  type DumpRow,
  type DumpValue,
  ROWS_AT_ONCE,
  type RowCounts,
  type Snapshot,
  type StoreDump,
} from '../dump.ts'
import { latestSequence } from './change-log.ts'
import { type Connection, toStoreError } from './connection.ts'
import type { WriteQueue } from './write-queue.ts'

export interface DumpDeps {
  readonly database: Database
  readonly connection: Connection
  readonly queue: WriteQueue
  /** Of the database; `:memory:` has no file. */
  readonly path: string
}

/** Pages of the database copied in one turn of the event loop: 1 MiB. */
const PAGES_AT_ONCE = 256
const MEMORY = ':memory:'

export function sqliteDump({ database, connection, queue, path }: DumpDeps): StoreDump {
  let isBusy = false
  return {
    async snapshot() {
      if (isBusy) {
        const why = 'a snapshot of the store is being made already: wait until it is done'
        throw new IdentityError('UNAVAILABLE', why)
      }
      isBusy = true
      const done = () => {
        isBusy = false
      }
      try {
        return await copyOf(database, path, done)
      } catch (error) {
        done()
        throw toStoreError(error)
      }
    },
    count: () => connection.read(() => countRows(connection)),
    async load(rows, { replaces, sequence }) {
      await connection.read(() => makeWaitingTables(connection))
      try {
        for await (const batch of rows) await connection.read(() => keepWaiting(database, batch))
        await queue.write(() => replaceAll(connection, { replaces, sequence }))
      } finally {
        await connection.read(() => dropWaitingTables(connection))
      }
    },
  }
}

async function copyOf(database: Database, path: string, done: () => void): Promise<Snapshot> {
  const file = `${path}.snapshot`
  const removeFile = () => {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
  }
  const open = async () => {
    if (path === MEMORY) return new Sqlite(database.serialize(), { readonly: true })
    removeFile() // left by a process that was killed
    closeSync(openSync(file, 'ax', 0o600)) // for its owner alone before anything is in it
    await database.backup(file, { progress: () => PAGES_AT_ONCE })
    return new Sqlite(file, { readonly: true })
  }
  let copy: Database
  try {
    copy = await open()
  } catch (error) {
    if (path !== MEMORY) removeFile()
    throw error
  }
  return {
    latestSequence: latestIn(copy),
    rows: (tables) => rowsOf(copy, tables),
    async [Symbol.asyncDispose]() {
      copy.close()
      if (path !== MEMORY) removeFile()
      done()
    },
  }
}

function latestIn(copy: Database): number {
  const row = copy
    .prepare<[], { latest: number }>(
      `select coalesce((select max(sequence) from changes),
        (select pruned_through from change_log)) as latest`,
    )
    .get()
  return row?.latest ?? 0
}

async function* rowsOf(
  copy: Database,
  tables: readonly DumpedTable[],
): AsyncGenerator<readonly DumpRow[], void, undefined> {
  for (const table of tables) {
    const statement = copy.prepare(`select ${columnsOf(table).join(', ')} from ${table} order by 1`)
    let batch: DumpRow[] = []
    // Cast: rows are lists of what SQLite holds, which no schema tells the compiler.
    for (const values of statement.raw().iterate() as IterableIterator<readonly DumpValue[]>) {
      batch.push({ table, values })
      if (batch.length < ROWS_AT_ONCE) continue
      yield batch
      batch = []
      // Other work of a running server comes in between.
      await nextTurn()
    }
    if (batch.length > 0) yield batch
  }
}

function countRows(connection: Connection): RowCounts {
  const counts = DUMPED_TABLE_NAMES.map((table) => {
    const rows = connection.one<{ rows: number }>(`select count(*) as rows from ${table}`)?.rows
    return [table, rows ?? 0] as const
  })
  // Cast: every table is among them.
  return Object.fromEntries(counts) as Record<DumpedTable, number>
}

const waiting = (table: DumpedTable) => `temp.loading_${table}`

function makeWaitingTables(connection: Connection): void {
  dropWaitingTables(connection)
  for (const table of DUMPED_TABLE_NAMES) {
    connection.run(`create temp table loading_${table} (${columnsOf(table).join(', ')})`)
  }
}

function dropWaitingTables(connection: Connection): void {
  for (const table of DUMPED_TABLE_NAMES) connection.run(`drop table if exists ${waiting(table)}`)
}

function keepWaiting(database: Database, batch: readonly DumpRow[]): void {
  const inserts = new Map<DumpedTable, Statement<unknown[]>>()
  const insertInto = (table: DumpedTable) => {
    const places = columnsOf(table)
      .map(() => '?')
      .join(', ')
    const insert = database.prepare(`insert into ${waiting(table)} values (${places})`)
    inserts.set(table, insert)
    return insert
  }
  database.transaction(() => {
    for (const { table, values } of batch) {
      const insert = inserts.get(table) ?? insertInto(table)
      insert.run(...values)
    }
  })()
}

function replaceAll(
  connection: Connection,
  { replaces, sequence }: { readonly replaces: boolean; readonly sequence: number },
): void {
  const present = countRows(connection)
  const filled = DUMPED_TABLE_NAMES.filter((table) => present[table] > 0)
  if (filled.length > 0 && !replaces) {
    const seen = filled.map((table) => `${present[table]} in ${table}`).join(', ')
    throw new IdentityError('PRECONDITION_FAILED', `the store is not empty: it has rows (${seen})`)
  }
  const before = latestSequence(connection)
  for (const { table } of DERIVED_TABLES) connection.run(`delete from ${table}`)
  for (const table of DUMPED_TABLE_NAMES.toReversed()) connection.run(`delete from ${table}`)
  connection.run('delete from join_tokens')
  for (const table of DUMPED_TABLE_NAMES) {
    const columns = columnsOf(table).join(', ')
    connection.run(`insert into ${table} (${columns}) select ${columns} from ${waiting(table)}`)
  }
  for (const { table, key, value, of, list } of DERIVED_TABLES) {
    connection.run(
      `insert or ignore into ${table} (${key}, ${value})
        select source.row, item.value from ${waiting(of)} as source, json_each(source.${list}) as item`,
    )
  }
  const next = Math.max(sequence, before + 1)
  connection.run('delete from changes')
  connection.run('update change_log set pruned_through = ?', next)
  connection.run(`delete from sqlite_sequence where name = 'changes'`)
  connection.run(`insert into sqlite_sequence (name, seq) values ('changes', ?)`, next)
}
