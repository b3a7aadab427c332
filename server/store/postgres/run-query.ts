/** Carries out text that both engines share: PostgreSQL numbers the values that it is given beside a statement. */
import type { SqlText } from '../sql/condition.ts'
import type { Session } from './session.ts'

/** Rows of the query. `Row` is what the text selects; the caller vouches for it. */
export async function select<Row>(session: Session, { sql, values }: SqlText): Promise<Row[]> {
  let place = 0
  const numbered = sql.replaceAll('?', () => `$${++place}`)
  return await session.all<Row>(numbered, ...values)
}
