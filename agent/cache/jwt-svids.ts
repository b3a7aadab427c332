/**
 * JWT-SVIDs for workloads: from the cache while they are young, else from the server; while the server is away, the
 * cached one as long as it is valid. Entries whose tokens have IDs of their own are never served from the cache.
 *
 * @see SPIRE behaviour §3 — JWT cache
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { type ErrorCode, IdentityError } from '../../spiffe/error.ts'
import { parseJwtSvid } from '../../spiffe/jwt/jwt-svid.ts'
import type { Random } from '../../spiffe/random.ts'
import { createBackoff } from '../backoff.ts'
import { isOfTheFuture, obtainedBetween } from '../renewal-time.ts'
import type { CachedEntry } from './entry.ts'
import type { IdentitySource, JwtSvid } from './identity.ts'
import { type CachedToken, createJwtCache, jwtCacheKey } from './jwt-cache.ts'
import type { WorkloadCache } from './workload-cache.ts'

/** Asks the server once. @throws IdentityError what the server's refusal means */
export type SignJwt = (
  entryId: string,
  audience: readonly string[],
  signal: AbortSignal,
) => Promise<string>

export interface JwtSvidsOptions {
  readonly cache: Pick<WorkloadCache, 'knowledge'>
  readonly sign: SignJwt
  readonly maxTokens: number
  /** How long a younger token is waited for by who could have a cached one; undefined: 2 seconds. */
  readonly renewalWaitMs?: number | undefined
  readonly clock: Clock
  readonly random: Random
  /** Told how many tokens are kept, when another one is. */
  readonly onKept?: (count: number) => void
  /** Ends what is still being fetched when the agent stops. */
  readonly signal: AbortSignal
}

/** As SPIRE's agent: how long a server that is away is tried again for one caller. */
const MAX_FETCH_MS = 30_000
const FIRST_RETRY_MS = 250
const MAX_RETRY_MS = 5_000
/** Who has a valid token at hand waits no longer than this for a younger one, unless the operator says otherwise. */
const DEFAULT_RENEWAL_WAIT_MS = 2_000
const MAX_IN_FLIGHT = 1_000

/** What may be gone at the next attempt; everything else is an answer. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNAVAILABLE', 'RATE_LIMITED'])

export function createJwtSvids(options: JwtSvidsOptions): IdentitySource['fetchJwtSvid'] {
  const { cache, clock } = options
  const tokens = createJwtCache(options.maxTokens)
  const inFlight = new Map<string, Promise<CachedToken>>()

  const fetchShared = (key: string, entry: CachedEntry, audience: readonly string[]) => {
    const running = inFlight.get(key)
    if (running !== undefined) return running
    if (inFlight.size >= MAX_IN_FLIGHT) {
      const why = `more than ${MAX_IN_FLIGHT} JWT-SVIDs are being fetched`
      return Promise.reject(new IdentityError('RATE_LIMITED', why))
    }
    const fetching = fetchToken(options, entry, audience)
      .then((token) => {
        tokens.put(key, token)
        options.onKept?.(tokens.size())
        return token
      })
      .finally(() => inFlight.delete(key))
    inFlight.set(key, fetching)
    return fetching
  }

  return async (matched, audience, signal) => {
    const { entries, bundle } = cache.knowledge()
    const entry = entries.get(matched.entryId)
    if (entry === undefined || entry.id !== matched.id) {
      throw new IdentityError('NO_IDENTITY_ISSUED', 'no identity issued')
    }
    if (entry.jti) {
      return toSvid(await abortable(fetchToken(options, entry, audience), signal), entry)
    }
    const key = jwtCacheKey(entry, audience)
    const found = tokens.find(key, clock.now())
    const cached = found !== undefined && isBelieved(found, bundle) ? found : undefined
    if (cached !== undefined && isYoung(cached, clock.now())) return toSvid(cached, entry)
    const fetching = fetchShared(key, entry, audience)
    if (cached === undefined) return toSvid(await abortable(fetching, signal), entry)
    return toSvid(await youngerOr(cached, fetching, options, signal), entry)
  }
}

function isYoung({ obtainedAt, renewAt }: CachedToken, now: Date): boolean {
  return now < renewAt && !isOfTheFuture(obtainedAt, now)
}

/** Fails closed: the key of a cached token has to be in the bundle still, so that nobody is given what nobody believes. */
function isBelieved({ keyId }: CachedToken, { jwtAuthorities }: Bundle): boolean {
  return jwtAuthorities.some((one) => one.keyId === keyId && !one.tainted)
}

function toSvid({ token, expiresAt }: CachedToken, { id, hint }: CachedEntry): JwtSvid {
  return { token, id, hint, expiresAt }
}

/** The fetched token, unless that fails or takes long and the cached one is still valid. */
async function youngerOr(
  cached: CachedToken,
  fetching: Promise<CachedToken>,
  { clock, renewalWaitMs = DEFAULT_RENEWAL_WAIT_MS }: JwtSvidsOptions,
  signal: AbortSignal,
): Promise<CachedToken> {
  const over = new AbortController()
  try {
    const patience = clock.sleep(renewalWaitMs, over.signal).then(() => cached)
    return await Promise.race([abortable(fetching, signal), patience])
  } catch (error) {
    if (clock.now() < cached.expiresAt && !signal.aborted) return cached
    throw error
  } finally {
    over.abort()
  }
}

async function fetchToken(
  { sign, clock, random, signal }: JwtSvidsOptions,
  entry: CachedEntry,
  audience: readonly string[],
): Promise<CachedToken> {
  const backoff = createBackoff({ initialMs: FIRST_RETRY_MS, capMs: MAX_RETRY_MS, random })
  const giveUpAt = clock.now().getTime() + MAX_FETCH_MS
  for (;;) {
    try {
      const askedAt = clock.now()
      const token = await sign(entry.entryId, audience, signal)
      return checked(token, entry, obtainedBetween(askedAt, clock.now()))
    } catch (error) {
      const pauseMs = backoff.next()
      const isPassing = error instanceof IdentityError && PASSING.has(error.code)
      const isOver = clock.now().getTime() + pauseMs > giveUpAt
      if (!isPassing || isOver || signal.aborted) throw error
      await clock.sleep(pauseMs, signal)
    }
  }
}

/** Fails closed: a token for somebody else is not handed out, whoever signed it. */
function checked(token: string, entry: CachedEntry, now: Date): CachedToken {
  const { id, expiresAt, issuedAt, keyId } = parseJwtSvid(token)
  if (id !== entry.id) {
    throw new IdentityError('INTERNAL', `the server sent a JWT-SVID of ${id}, expected ${entry.id}`)
  }
  const bornAt = (issuedAt ?? now).getTime()
  const renewAt = new Date(bornAt + (expiresAt.getTime() - bornAt) / 2)
  return { token, id, hint: entry.hint, expiresAt, obtainedAt: now, renewAt, keyId }
}

/** The promise goes on for whoever else waits for it. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new IdentityError('CANCELED', 'the caller has gone'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
