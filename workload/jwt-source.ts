/**
 * JWT-SVIDs of this process, and the check of those that others present. Tokens come from the agent, which caches
 * them; the bundles to check with are followed, so a check needs no call.
 *
 * @see Workload-API §6.2; JWT-SVID §4 — validation
 */
import { IdentityError } from '../spiffe/error.ts'
import type { JwtSvid } from '../spiffe/jwt/jwt-svid.ts'
import { verifyJwtSvid } from '../spiffe/jwt/verify.ts'
import { type FetchedJwtSvid, fetchJwtSvids, type JwtWish } from './fetch-jwt-svids.ts'
import { follow } from './follow.ts'
import { type JwtBundles, readJwtBundles } from './jwt-bundles.ts'
import { createLatest, type LatestReader, opened } from './latest.ts'
import { type SourceOptions, settingsOf } from './source-options.ts'
import { openClient, readStream } from './workload-client.ts'

export interface JwtSource extends LatestReader<JwtBundles>, AsyncDisposable {
  /** @throws IdentityError NO_IDENTITY_ISSUED, UNAVAILABLE, REQUEST_INVALID without an audience */
  fetchJwtSvid(wish: JwtWish): Promise<FetchedJwtSvid>
  /** One token for each identity of the process. */
  fetchJwtSvids(wish: JwtWish): Promise<readonly FetchedJwtSvid[]>
  /**
   * Checks a token that somebody presented, by the bundle of its own trust domain.
   * @param audience a name of this verifier; a token for somebody else is refused
   * @throws IdentityError JWT_SVID_INVALID, never with the token in the message
   */
  validate(token: string, audience: string | readonly string[]): Promise<JwtSvid>
}

/** Resolves with the first bundles, for which it waits as long as the agent has none: `signal` ends that. */
export async function openJwtSource(options: SourceOptions = {}): Promise<JwtSource> {
  const { address, onFailure, clock, random } = settingsOf(options)
  const latest = createLatest<JwtBundles>()
  const closing = new AbortController()
  const client = openClient(address)
  const close = () => {
    closing.abort()
    latest.close()
    client.close()
  }
  options.signal?.addEventListener('abort', close, { once: true })
  if (options.signal?.aborted === true) close()
  const following = follow(
    {
      open: (signal) => readStream(address, (to, with_) => to.FetchJWTBundles({}, with_), signal),
      onMessage: (message) => latest.set(readJwtBundles(message)),
      onFailure(error, retryMs) {
        if (error.code === 'NO_IDENTITY_ISSUED') latest.withdraw(error)
        if (retryMs === undefined) latest.fail(error)
        onFailure(error, retryMs)
      },
      clock,
      random,
    },
    closing.signal,
  )
  const fetchAll = (wish: JwtWish) => fetchJwtSvids(client, wish, clock)
  const source: JwtSource = {
    current: latest.current,
    onChange: latest.onChange,
    updates: latest.updates,
    fetchJwtSvids: fetchAll,
    async fetchJwtSvid(wish) {
      const [first] = await fetchAll(wish)
      if (first === undefined) throw new IdentityError('JWT_SVID_INVALID', 'no token was returned')
      return first
    },
    validate: async (token, audience) =>
      await verifyJwtSvid(token, { bundles: latest.current(), audience, now: clock.now() }),
    async [Symbol.asyncDispose]() {
      options.signal?.removeEventListener('abort', close)
      close()
      await following
    },
  }
  return await opened(source, latest)
}
