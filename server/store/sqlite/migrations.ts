/** Every migration of SQLite, in order; a released one is never edited, and none is ever removed. */
import type { Migration } from 'kysely/migration'
import type { SchemaStep } from '../sql/schema-history.ts'

export interface SqliteMigration extends SchemaStep {
  /** Most starts need none, and what migrations are made of takes a tenth of a second to load. */
  readonly load: () => Promise<Migration>
}

/** Programs that know no more than the first three go on with nothing newer. */
export const MIGRATIONS: readonly SqliteMigration[] = [
  {
    ...{ name: '0001-initial', oldestReader: '0001-initial' },
    load: async () => (await import('./migrations/0001-initial.ts')).initial,
  },
  {
    ...{ name: '0002-federation', oldestReader: '0002-federation' },
    load: async () => (await import('./migrations/0002-federation.ts')).federation,
  },
  {
    ...{ name: '0003-servers', oldestReader: '0003-servers' },
    load: async () => (await import('./migrations/0003-servers.ts')).servers,
  },
  {
    ...{ name: '0004-readers', oldestReader: '0004-readers' },
    load: async () => (await import('./migrations/0004-readers.ts')).readers,
  },
]
