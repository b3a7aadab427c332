/** Reads rows by many keys, in queries of a bounded number of values. */
import type { Connection } from './connection.ts'

/** A fixed size, so that nearly all chunks share one prepared statement. */
const KEYS_PER_QUERY = 100

/** @param select SQL up to and including `in` */
export function inChunks<Row, T>(
  connection: Connection,
  select: string,
  keys: readonly string[],
  decode: (row: Row) => T,
): T[] {
  const found: T[] = []
  for (let start = 0; start < keys.length; start += KEYS_PER_QUERY) {
    const chunk = keys.slice(start, start + KEYS_PER_QUERY)
    const places = chunk.map(() => '?').join(', ')
    for (const row of connection.all<Row>(`${select} (${places})`, ...chunk))
      found.push(decode(row))
  }
  return found
}
