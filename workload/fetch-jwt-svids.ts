/**
 * Fetches tokens from the agent, which caches them. A token of another identity or for another audience than was asked
 * for is refused.
 *
 * @see Workload-API §6.2.1
 */
import type { JWTSVIDRequestInput } from '../proto/gen/JWTSVIDRequest.ts'
import type { JWTSVIDResponse } from '../proto/gen/JWTSVIDResponse.ts'
import type { SpiffeWorkloadAPIClient } from '../proto/gen/SpiffeWorkloadAPI.ts'
import type { Clock } from '../spiffe/clock.ts'
import { IdentityError } from '../spiffe/error.ts'
import { parseSpiffeId, type SpiffeId } from '../spiffe/id.ts'
import { parseJwtSvid } from '../spiffe/jwt/jwt-svid.ts'
import { securityHeader, toFailure } from './workload-client.ts'

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

const FETCH_TIMEOUT_MS = 30_000

/** @throws IdentityError REQUEST_INVALID, NO_IDENTITY_ISSUED, UNAVAILABLE, JWT_SVID_INVALID, DEADLINE_EXCEEDED, CANCELED */
export async function fetchJwtSvids(
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
