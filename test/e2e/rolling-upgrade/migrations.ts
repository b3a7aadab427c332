/** Every migration of the next version. */
import {
  type PostgresMigration,
  MIGRATIONS as THIS,
} from '../../../server/store/postgres/migrations.ts'
import { nextMigration } from '../../server/store/postgres/next-migration.ts'

export const MIGRATIONS: readonly PostgresMigration[] = [...THIS, nextMigration()]
