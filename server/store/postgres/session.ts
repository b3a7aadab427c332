/** Statements on one connection: prepared by name, and a connection that is lost told as such. */
import { reasonOf } from '../../../spiffe/error.ts'
import type { LiveClient } from './open-client.ts'
import { ConnectionLost, endsConnection } from './store-error.ts'

/** Lists with filters have as many texts as they have value counts; those beyond are parsed each time. */
const MAX_NAMED_STATEMENTS = 256

type SqlScalar = string | number | boolean | Uint8Array | null

/** An array is one value: an array of PostgreSQL, for `unnest` and `= any`. */
export type SqlValue = SqlScalar | readonly SqlScalar[]

export interface Session {
  /** All rows. `Row` is what the text selects; the caller vouches for it. Parameters are `$1`, `$2` … */
  all<Row>(sql: string, ...values: readonly SqlValue[]): Promise<Row[]>
  /** The first row. */
  one<Row>(sql: string, ...values: readonly SqlValue[]): Promise<Row | undefined>
  /** @returns how many rows were written */
  run(sql: string, ...values: readonly SqlValue[]): Promise<number>
}

export interface RawSession extends Session {
  raw(sql: string): Promise<{ readonly command: string }>
}

/** The same text has the same name on every connection. */
const names = new Map<string, string>()

function nameOf(sql: string): string | undefined {
  const known = names.get(sql)
  if (known !== undefined || names.size >= MAX_NAMED_STATEMENTS) return known
  const name = `steeple_${names.size}`
  names.set(sql, name)
  return name
}

/** @throws ConnectionLost or whatever the database says; both as they are, for the caller to translate */
export function createSession(live: LiveClient, onSql?: (sql: string) => void): RawSession {
  const ask = async (text: string, values: readonly SqlValue[]) => {
    onSql?.(text)
    // Begin, commit and savepoints have no values and nothing to prepare.
    const name = values.length === 0 ? undefined : nameOf(text)
    try {
      return await live.client.query({
        text,
        ...(values.length === 0 ? {} : { values: [...values] }),
        ...(name === undefined ? {} : { name }),
      })
    } catch (error) {
      if (!live.lost.aborted && !endsConnection(error)) throw error
      live.cut()
      throw new ConnectionLost(reasonOf(error), { cause: error })
    }
  }
  return {
    // Rows are typed by the text of the query, which the compiler cannot read.
    all: async <Row>(sql: string, ...values: readonly SqlValue[]) =>
      (await ask(sql, values)).rows as Row[],
    one: async <Row>(sql: string, ...values: readonly SqlValue[]) =>
      (await ask(sql, values)).rows[0] as Row | undefined,
    run: async (sql, ...values) => (await ask(sql, values)).rowCount ?? 0,
    raw: (sql) => ask(sql, []),
  }
}
