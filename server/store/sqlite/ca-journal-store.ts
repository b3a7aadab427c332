/** CA journals in SQLite: one opaque document per server. */
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { CaJournalStore } from '../store.ts'
import type { SqliteDeps } from './sqlite-deps.ts'

export function caJournalStore({ connection, queue, clock }: SqliteDeps): CaJournalStore {
  return {
    load: (serverKey) =>
      connection.read(() => {
        const row = connection.one<{ document: Buffer }>(
          'select document from ca_journals where server_key = ?',
          serverKey,
        )
        return row === undefined ? undefined : new Uint8Array(row.document)
      }),
    save: (serverKey, document) =>
      queue.write(() => {
        connection.run(
          `insert into ca_journals (server_key, document, saved_at) values (?, ?, ?)
            on conflict (server_key)
              do update set document = excluded.document, saved_at = excluded.saved_at`,
          serverKey,
          document,
          unixSeconds(clock.now()),
        )
      }),
    prune: (before, limit) =>
      queue.write(
        () =>
          connection.run(
            `delete from ca_journals where server_key in
              (select server_key from ca_journals where saved_at < ? order by saved_at limit ?)`,
            unixSeconds(before),
            limit,
          ).changes,
      ),
  }
}
