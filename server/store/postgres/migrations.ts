/** Every migration of PostgreSQL, in order; a released one is never edited, and none is ever removed. */
import type { SchemaStep } from '../sql/schema-history.ts'
import { initial } from './migrations/0001-initial.ts'
import { federation } from './migrations/0002-federation.ts'
import { servers } from './migrations/0003-servers.ts'
import { readers } from './migrations/0004-readers.ts'

export interface PostgresMigration extends SchemaStep {
  readonly statements: readonly string[]
}

/** Programs that know no more than the first three go on with nothing newer. */
export const MIGRATIONS: readonly PostgresMigration[] = [
  { name: '0001-initial', oldestReader: '0001-initial', statements: initial },
  { name: '0002-federation', oldestReader: '0002-federation', statements: federation },
  { name: '0003-servers', oldestReader: '0003-servers', statements: servers },
  { name: '0004-readers', oldestReader: '0004-readers', statements: readers },
]
