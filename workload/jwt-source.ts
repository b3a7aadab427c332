/**
 * JWT-SVIDs of this process, and the check of those that others present. Tokens come from the agent, which caches
 * them; the bundles to check with are followed, so a check needs no call.
 *
 * @see Workload-API §6.2; JWT-SVID §4 — validation
 */
import type { JWTBundlesResponse } from '../proto/gen/JWTBundlesResponse.ts'
import type { JWTSVIDRequestInput } from '../proto/gen/JWTSVIDRequest.ts'
import type { JWTSVIDResponse } from '../proto/gen/JWTSVIDResponse.ts'
import type { SpiffeWorkloadAPIClient } from '../proto/gen/SpiffeWorkloadAPI.ts'
import { parseJwks } from '../spiffe/bundle/jwks.ts'
import type { Bundle } from '../spiffe/bundle.ts'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError } from '../spiffe/error.ts'
import { parseSpiffeId, parseTrustDomain, type SpiffeId, type TrustDomain } from '../spiffe/id.ts'
import { type JwtSvid, parseJwtSvid } from '../spiffe/jwt/jwt-svid.ts'
import { verifyJwtSvid } from '../spiffe/jwt/verify.ts'
import { follow } from './follow.ts'
import { createLatest, type LatestReader, opened } from './latest.ts'
import { type SourceOptions, settingsOf } from './source-options.ts'
import { openClient, readStream, securityHeader, toFailure } from './workload-client.ts'

export type JwtBundles = ReadonlyMap<TrustDomain, Bundle>

/** A token of this process. It is a secret: whoever has it can act as this workload towards its audience. */
export interface FetchedJwtSvid {
  readonly token: string
  readonly id: SpiffeId
  readonly audience: readonly string[]
  readonly expiresAt: Date
  readonly hint: string
}

export interface JwtWish {
  /** Who is to accept the token; one narrow name is best. */
  readonly audience: string | readonly string[]
  /** Default: the first identity of the process. */
  readonly id?: string
  readonly signal?: AbortSignal
}

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

const FETCH_TIMEOUT_MS = 30_000

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
  const fetchJwtSvids = (wish: JwtWish) => fetchTokens(client, wish, clock)
  const source: JwtSource = {
    current: latest.current,
    onChange: latest.onChange,
    updates: latest.updates,
    fetchJwtSvids,
    async fetchJwtSvid(wish) {
      const [first] = await fetchJwtSvids(wish)
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

/** @throws IdentityError BUNDLE_MALFORMED, TRUST_DOMAIN_INVALID */
export function readJwtBundles({ bundles }: JWTBundlesResponse): JwtBundles {
  return new Map(
    Object.entries(bundles).map(([id, jwks]) => {
      const trustDomain = parseTrustDomain(id)
      return [trustDomain, parseJwks(jwks.toString('utf8'), trustDomain)]
    }),
  )
}

async function fetchTokens(
  client: SpiffeWorkloadAPIClient,
  { audience, id, signal }: JwtWish,
  clock: Clock,
): Promise<readonly FetchedJwtSvid[]> {
  const wanted = [audience].flat().filter((one) => one !== '')
  if (wanted.length === 0) throw new IdentityError('REQUEST_INVALID', 'audience must be specified')
  const wantedId = id === undefined ? undefined : parseSpiffeId(id)
  const request = { audience: wanted, spiffe_id: wantedId ?? '' }
  const { svids } = await call(client, request, clock, signal)
  if (svids.length === 0) {
    throw new IdentityError('JWT_SVID_INVALID', 'the agent answered without any JWT-SVID')
  }
  return svids.map(({ spiffe_id, svid: token, hint }) => {
    const svid = parseJwtSvid(token, wanted)
    if (svid.id !== spiffe_id || (wantedId !== undefined && svid.id !== wantedId)) {
      throw new IdentityError(
        'JWT_SVID_INVALID',
        `the agent returned a token of ${svid.id}, expected ${wantedId ?? spiffe_id}`,
      )
    }
    return { token, id: svid.id, audience: svid.audience, expiresAt: svid.expiresAt, hint }
  })
}

async function call(
  client: SpiffeWorkloadAPIClient,
  request: JWTSVIDRequestInput,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<JWTSVIDResponse> {
  const done = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<JWTSVIDResponse>()
  const calling = client.FetchJWTSVID(request, securityHeader(), (error, reply) => {
    if (error !== null || reply === undefined) reject(toFailure(error))
    else resolve(reply)
  })
  const giveUp = (code: 'CANCELED' | 'DEADLINE_EXCEEDED', why: string) => {
    reject(new IdentityError(code, why))
    calling.cancel()
  }
  const cancel = () => giveUp('CANCELED', 'the caller does not want the token any more')
  signal?.addEventListener('abort', cancel, { once: true })
  if (signal?.aborted === true) cancel()
  void clock.sleep(FETCH_TIMEOUT_MS, done.signal).then(() => {
    if (done.signal.aborted) return
    giveUp('DEADLINE_EXCEEDED', `no JWT-SVID within ${FETCH_TIMEOUT_MS / 1000} s`)
  })
  try {
    return await promise
  } finally {
    done.abort()
    signal?.removeEventListener('abort', cancel)
  }
}
