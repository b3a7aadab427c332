/**
 * Conditions on rows, and the lists and counts of the rows that meet them, as text that each engine carries out. A value is a
 * `?` in the text, and never part of it.
 */

/** SQL with a `?` for each of the values, in their order. */
export interface SqlText {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** What the rows of a table must meet: all of it. */
export interface Rows {
  readonly table: 'entries' | 'nodes'
  readonly conditions: readonly SqlText[]
}

export interface RowsPage {
  readonly columns: readonly string[]
  /** The number of the row to go on after; 0 for the first page. */
  readonly after: number
  readonly limit: number
}

/** @param column a name of ours, e.g. `entries.hint` */
export function equals(column: string, value: string | number): SqlText {
  return { sql: `${column} = ?`, values: [value] }
}

/** A page of the rows in the order of their creation. */
export function pageOf({ table, conditions }: Rows, { columns, after, limit }: RowsPage): SqlText {
  const beyond = { sql: `${table}.row > ?`, values: [after] }
  const { sql, values } = whereAll([...conditions, beyond])
  return {
    sql: `select ${columns.join(', ')} from ${table}${sql} order by ${table}.row limit ?`,
    values: [...values, limit],
  }
}

/** One row with their number as `count`. */
export function countOf({ table, conditions }: Rows): SqlText {
  const { sql, values } = whereAll(conditions)
  return { sql: `select count(*) as count from ${table}${sql}`, values }
}

function whereAll(conditions: readonly SqlText[]): SqlText {
  if (conditions.length === 0) return { sql: '', values: [] }
  return {
    sql: ` where ${conditions.map(({ sql }) => sql).join(' and ')}`,
    values: conditions.flatMap(({ values }) => values),
  }
}
