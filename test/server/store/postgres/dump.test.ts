import { openStore } from '../../../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { withPostgres } from '../../../processes/postgres.ts'
import { dumpContract } from '../dump-contract.ts'
import { emptyDatabase, openPostgresStore } from './open-for-test.ts'

withPostgres('dumps on a real PostgreSQL', (postgres) => {
  const made = new Set<string>()
  const inDatabase = (name: string) => async () => {
    if (made.has(name)) await emptyDatabase(postgres(), name)
    else await postgres().createDatabase(name)
    made.add(name)
    return await openPostgresStore(postgres(), name)
  }
  const onSqlite = () => openStore({ path: ':memory:', clock: systemClock })
  const source = inDatabase('dump_source')
  const target = inDatabase('dump_target')
  dumpContract('a PostgreSQL store dumped and loaded', source, target, 'whole')
  dumpContract('from SQLite to PostgreSQL', onSqlite, target, 'content alone')
  dumpContract('from PostgreSQL to SQLite', source, onSqlite, 'content alone')
})
