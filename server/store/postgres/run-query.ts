/** Carries out what `query.ts` has built. */
import type { Compilable } from 'kysely'
import type { Session, SqlValue } from './session.ts'

/** Rows of the query, typed by it. */
export async function select<Row>(session: Session, built: Compilable<Row>): Promise<Row[]> {
  const { sql, parameters } = built.compile()
  // Filters hold texts and numbers alone.
  return await session.all<Row>(sql, ...(parameters as readonly SqlValue[]))
}
