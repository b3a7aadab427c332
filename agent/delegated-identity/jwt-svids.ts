/** JWT-SVIDs of one workload for its delegate: one for each entry that matches, never those of administrators and downstream servers. */
import type { FetchJWTSVIDsResponseInput } from '../../proto/gen/spire/api/agent/delegatedidentity/v1/FetchJWTSVIDsResponse.ts'
import { toWireId } from '../../proto/wire.ts'
import { unixSeconds } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parseJwtSvid } from '../../spiffe/jwt/jwt-svid.ts'
import type { IdentitySource, JwtSvid } from '../cache/identity.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { Subject } from './subject.ts'
import type { WhyNone } from './why-none.ts'

/** Tokens that one request fetches from the server at the same time. */
const MAX_PARALLEL_FETCHES = 16
const MAX_AUDIENCES = 64
const MAX_AUDIENCE_BYTES = 2_048

export interface DelegatedJwtDeps {
  readonly cache: Pick<WorkloadCache, 'matching'>
  readonly source: Pick<IdentitySource, 'fetchJwtSvid'>
  readonly whyNone: WhyNone
}

/** @throws IdentityError REQUEST_INVALID */
export function checkAudience(audience: readonly string[]): void {
  const invalid = (message: string) => new IdentityError('REQUEST_INVALID', message)
  if (audience.length === 0) throw invalid('audience must be specified')
  if (audience.length > MAX_AUDIENCES) {
    throw invalid(`${audience.length} audiences were given, at most ${MAX_AUDIENCES} are allowed`)
  }
  if (audience.some((one) => Buffer.byteLength(one) > MAX_AUDIENCE_BYTES)) {
    throw invalid(`an audience is longer than ${MAX_AUDIENCE_BYTES} bytes`)
  }
}

/** @throws IdentityError NO_IDENTITY_ISSUED, UNAVAILABLE */
export async function delegatedJwtSvids(
  { cache, source, whyNone }: DelegatedJwtDeps,
  { selectors }: Subject,
  audience: readonly string[],
  signal: AbortSignal,
): Promise<FetchJWTSVIDsResponseInput> {
  const entries = cache.matching(selectors).filter(({ privileged }) => !privileged)
  if (entries.length === 0) throw whyNone.ofWorkload(selectors)
  const svids: JwtSvid[] = []
  for (let start = 0; start < entries.length; start += MAX_PARALLEL_FETCHES) {
    const some = entries.slice(start, start + MAX_PARALLEL_FETCHES)
    const fetched = some.map((entry) => source.fetchJwtSvid(entry, audience, signal))
    svids.push(...(await Promise.all(fetched).catch((error) => fail(error, signal))))
  }
  return { svids: svids.map(toWireSvid) }
}

function fail(error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw new IdentityError('CANCELED', 'the delegate has gone')
  if (!(error instanceof IdentityError)) throw error
  const why = `could not fetch JWT-SVID: ${reasonOf(error)}`
  throw new IdentityError('UNAVAILABLE', why, { cause: error })
}

function toWireSvid({ token, id, hint, expiresAt }: JwtSvid) {
  const { issuedAt } = parseJwtSvid(token)
  return {
    ...{ token, id: toWireId(id), hint },
    expires_at: unixSeconds(expiresAt),
    issued_at: issuedAt === undefined ? 0 : unixSeconds(issuedAt),
  }
}
