/**
 * What the next version might add, in every way that an older one has to put up with: a column in each table, an index, a
 * table, a trigger that fills it. For tests; it is no part of any version.
 */
import { MIGRATIONS, type PostgresMigration } from '../../../../server/store/postgres/migrations.ts'

const TABLES = [
  ...['bundles', 'entries', 'nodes', 'federation_relationships', 'join_tokens', 'ca_journals'],
  ...['entry_selectors', 'entry_federates_with', 'node_selectors', 'changes', 'change_log'],
  ...['servers', 'server_questions', 'kysely_migration', 'schema_readers'],
]

export const NEXT_NAME = '9998-next'

/** @param oldestReader the version before, if not given */
export function nextMigration(
  oldestReader: string = MIGRATIONS.at(-1)?.name ?? '',
  name: string = NEXT_NAME,
): PostgresMigration {
  return {
    ...{ name, oldestReader },
    statements: [
      ...TABLES.map(
        (table) => `alter table ${table} add column next_note text not null default ''`,
      ),
      'create index entries_next on entries (next_note, created_at)',
      'create table next_seen (id text primary key, times bigint not null)',
      `create function next_see() returns trigger language plpgsql as $$ begin
        insert into next_seen values (new.id, 1) on conflict (id) do update set times = next_seen.times + 1;
        return new; end $$`,
      'create trigger next_see after insert or update on entries for each row execute function next_see()',
    ],
  }
}
