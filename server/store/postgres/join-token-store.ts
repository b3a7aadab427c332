/** Join tokens in PostgreSQL. Of many servers that redeem one, one deletes the row and has it. */
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import { tokenHash } from '../sql/token-hash.ts'
import type { JoinTokenStore } from '../store.ts'
import type { PostgresDeps } from './postgres-deps.ts'

export function joinTokenStore({ queue }: Pick<PostgresDeps, 'queue'>): JoinTokenStore {
  return {
    create: ({ token, expiresAt }) =>
      queue.write([], async (session) => {
        const added = await session.run(
          `insert into join_tokens (token_hash, expires_at) values ($1, $2)
            on conflict (token_hash) do nothing`,
          tokenHash(token),
          unixSeconds(expiresAt),
        )
        return added === 1
      }),
    redeem: (token) =>
      queue.write([], async (session) => {
        const row = await session.one<{ expires_at: number }>(
          'delete from join_tokens where token_hash = $1 returning expires_at',
          tokenHash(token),
        )
        return row === undefined ? undefined : { token, expiresAt: fromUnixSeconds(row.expires_at) }
      }),
    pruneExpired: (now, limit) =>
      queue.write([], (session) =>
        session.run(
          `with old as materialized (
              select token_hash from join_tokens where expires_at < $1::bigint
                limit $2::bigint for update
            ) delete from join_tokens using old where join_tokens.token_hash = old.token_hash`,
          unixSeconds(now),
          limit,
        ),
      ),
  }
}
