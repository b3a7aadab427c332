/** Join tokens in SQLite, kept as digests: who reads the database file learns no token that still works. */
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import { tokenHash } from '../sql/token-hash.ts'
import type { JoinTokenStore } from '../store.ts'
import type { SqliteDeps } from './sqlite-deps.ts'

export function joinTokenStore({ connection, queue }: SqliteDeps): JoinTokenStore {
  return {
    create: ({ token, expiresAt }) =>
      queue.write(() => {
        const { changes } = connection.run(
          `insert into join_tokens (token_hash, expires_at) values (?, ?)
            on conflict (token_hash) do nothing`,
          tokenHash(token),
          unixSeconds(expiresAt),
        )
        return changes === 1
      }),
    redeem: (token) =>
      queue.write(() => {
        const row = connection.one<{ expires_at: number }>(
          'delete from join_tokens where token_hash = ? returning expires_at',
          tokenHash(token),
        )
        return row === undefined ? undefined : { token, expiresAt: fromUnixSeconds(row.expires_at) }
      }),
    pruneExpired: (now, limit) =>
      queue.write(
        () =>
          connection.run(
            `delete from join_tokens where token_hash in
              (select token_hash from join_tokens where expires_at < ? limit ?)`,
            unixSeconds(now),
            limit,
          ).changes,
      ),
  }
}
