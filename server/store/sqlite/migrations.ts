/** Every migration of SQLite, in order; a released one is never edited, and none is ever removed. */
import type { Migration } from 'kysely/migration'
import type { SchemaStep } from '../sql/schema-history.ts'
import { initial } from './migrations/0001-initial.ts'
import { federation } from './migrations/0002-federation.ts'
import { servers } from './migrations/0003-servers.ts'
import { readers } from './migrations/0004-readers.ts'

export interface SqliteMigration extends SchemaStep {
  readonly migration: Migration
}

/** Programs that know no more than the first three go on with nothing newer. */
export const MIGRATIONS: readonly SqliteMigration[] = [
  { name: '0001-initial', oldestReader: '0001-initial', migration: initial },
  { name: '0002-federation', oldestReader: '0002-federation', migration: federation },
  { name: '0003-servers', oldestReader: '0003-servers', migration: servers },
  { name: '0004-readers', oldestReader: '0004-readers', migration: readers },
]
