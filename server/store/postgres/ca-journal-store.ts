/** CA journals in PostgreSQL: one opaque document per server. */
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { CaJournalStore } from '../store.ts'
import type { PostgresDeps } from './postgres-deps.ts'

export function caJournalStore({ connection, queue, clock }: PostgresDeps): CaJournalStore {
  return {
    load: async (serverKey) => {
      const row = await connection.reads.one<{ document: Buffer }>(
        'select document from ca_journals where server_key = $1',
        serverKey,
      )
      return row === undefined ? undefined : new Uint8Array(row.document)
    },
    save: (serverKey, document) =>
      queue.write([], async (session) => {
        await session.run(
          `insert into ca_journals (server_key, document, saved_at) values ($1, $2, $3)
            on conflict (server_key)
              do update set document = excluded.document, saved_at = excluded.saved_at`,
          serverKey,
          document,
          unixSeconds(clock.now()),
        )
      }),
    prune: (before, limit) =>
      queue.write([], (session) =>
        session.run(
          `with old as materialized (
              select server_key from ca_journals where saved_at < $1::bigint
                order by saved_at limit $2::bigint for update
            ) delete from ca_journals using old where ca_journals.server_key = old.server_key`,
          unixSeconds(before),
          limit,
        ),
      ),
  }
}
