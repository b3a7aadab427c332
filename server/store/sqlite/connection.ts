/**
 * The one connection to the database file: prepared statements, kept by their text, and errors of
 * SQLite turned into ours. What SQLite cannot do now is UNAVAILABLE; any other failure is a bug.
 */
import Sqlite, { type Database, type Statement } from 'better-sqlite3'
import { IdentityError } from '../../../spiffe/error.ts'
import { closedError } from '../closed-error.ts'
import type { SqlText } from '../sql/condition.ts'
import type { SqlValue } from '../sql/tables.ts'

/** Lists with filters have as many texts as they have value counts; the oldest is dropped. */
const MAX_STATEMENTS = 256

export interface Connection {
  /** All rows. `Row` is what the text selects; the caller vouches for it. */
  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[]
  /** The first row. */
  one<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined
  /** @returns how many rows were written, and the key of the last one inserted */
  run(sql: string, ...values: readonly SqlValue[]): { changes: number; lastRow: number }
  /** As `all`. */
  select<Row>(text: SqlText): Row[]
  /** Runs `read` now, with errors turned into ours. */
  read<T>(read: () => T): Promise<T>
  /** False also after an error at which SQLite undid the whole transaction by itself. */
  isInTransaction(): boolean
  close(): void
}

/** @param onSql told of every statement before it is carried out */
export function connect(database: Database, onSql?: (sql: string) => void): Connection {
  const statements = new Map<string, Statement<unknown[], unknown>>()
  const prepared = (sql: string) => {
    onSql?.(sql)
    const known = statements.get(sql)
    if (known !== undefined) return known
    if (statements.size >= MAX_STATEMENTS) {
      const oldest = statements.keys().next()
      if (!oldest.done) statements.delete(oldest.value)
    }
    const statement = database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    // Rows are typed by the text of the query, which the compiler cannot read.
    all: <Row>(sql: string, ...values: readonly SqlValue[]) =>
      prepared(sql).all(...values) as Row[],
    one: <Row>(sql: string, ...values: readonly SqlValue[]) =>
      prepared(sql).get(...values) as Row | undefined,
    run: (sql, ...values) => {
      const { changes, lastInsertRowid } = prepared(sql).run(...values)
      return { changes, lastRow: Number(lastInsertRowid) }
    },
    select: <Row>({ sql, values }: SqlText) => prepared(sql).all(...values) as Row[],
    read: async (read) => {
      if (!database.open) throw closedError()
      try {
        return read()
      } catch (error) {
        throw toStoreError(error)
      }
    },
    isInTransaction: () => database.inTransaction,
    close: () => {
      statements.clear()
      database.close()
    },
  }
}

/** Conditions outside of the program: they may pass, so the caller may try again. */
const OUTSIDE = /^SQLITE_(?:BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM)/

/** What an operator can do about some of them; nothing was written, and what was there before stays. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_(?:FULL|IOERR_WRITE|IOERR_FSYNC)/, '; free space on its disk, then try again'],
  [/^SQLITE_READONLY/, '; make its file and directory writable'],
  [/^SQLITE_(?:CORRUPT|NOTADB)/, '; it is damaged: stop the server and restore a backup'],
]

export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Sqlite.SqliteError) || !OUTSIDE.test(error.code)) return error
  const advice = ADVICE.find(([codes]) => codes.test(error.code))?.[1] ?? ''
  const why = `database: ${error.message} (${error.code})${advice}`
  return new IdentityError('UNAVAILABLE', why, { cause: error })
}
