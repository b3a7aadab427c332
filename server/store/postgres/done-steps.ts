/** Which migrations were carried out on a database, and who can go on after each. */
import type { DoneSteps } from '../sql/schema-history.ts'
import type { Session } from './session.ts'

/** @throws whatever the database says, e.g. when there are no tables */
export async function readDoneSteps(session: Session): Promise<DoneSteps> {
  const done = await session.all<{ name: string }>('select name from kysely_migration')
  const found = await session.one<{ readers: boolean }>(
    "select to_regclass('schema_readers') is not null as readers",
  )
  const noted =
    found?.readers === true
      ? await session.all<{ migration: string; oldest_reader: string }>(
          'select migration, oldest_reader from schema_readers',
        )
      : []
  const readerOf = new Map(noted.map((row) => [row.migration, row.oldest_reader]))
  return new Map(done.map(({ name }) => [name, readerOf.get(name)]))
}
