/**
 * JWT-SVIDs for one workload, the bundles to check them with, and the check itself.
 *
 * @see Workload-API §6.2 — JWT-SVID profile
 */
import type { JWTBundlesResponseInput } from '../../proto/gen/JWTBundlesResponse.ts'
import type { JWTSVIDRequest } from '../../proto/gen/JWTSVIDRequest.ts'
import type { JWTSVIDResponseInput } from '../../proto/gen/JWTSVIDResponse.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parseSpiffeId, type SpiffeId } from '../../spiffe/id.ts'
import { jwksOf } from '../cache/bundle-bytes.ts'
import type { JwtSvid, MatchedEntry } from '../cache/identity.ts'
import { sendBundles } from './send-bundles.ts'
import { type AnswerDeps, noIdentity, requireAlive, type Send, type Workload } from './workload.ts'

/** Tokens that one request fetches from the server at the same time. */
const MAX_PARALLEL_FETCHES = 16
const MAX_AUDIENCES = 64
const MAX_AUDIENCE_BYTES = 2_048

/** What a request asks for, checked. */
export interface JwtWish {
  readonly audience: readonly string[]
  /** All identities when undefined. */
  readonly id: SpiffeId | undefined
}

/** @throws IdentityError REQUEST_INVALID */
export function parseJwtWish(request: JWTSVIDRequest): JwtWish {
  const audience = request.audience.filter((one) => one !== '')
  if (audience.length === 0) throw invalid('audience must be specified')
  if (audience.length > MAX_AUDIENCES) {
    throw invalid(`${audience.length} audiences were given, at most ${MAX_AUDIENCES} are allowed`)
  }
  if (audience.some((one) => Buffer.byteLength(one) > MAX_AUDIENCE_BYTES)) {
    throw invalid(`an audience is longer than ${MAX_AUDIENCE_BYTES} bytes`)
  }
  return { audience, id: request.spiffe_id === '' ? undefined : parseWishedId(request.spiffe_id) }
}

/** One token for each entry that matches. @throws IdentityError NO_IDENTITY_ISSUED, UNAVAILABLE */
export async function answerJwtSvids(
  { source, log, whyNone }: AnswerDeps,
  workload: Workload,
  { audience, id }: JwtWish,
): Promise<JWTSVIDResponseInput> {
  const matching = source.matching(workload.selectors)
  const entries = matching.filter((entry) => id === undefined || entry.id === id)
  if (entries.length === 0 && matching.length > 0) {
    throw noIdentity({ why: `it asked for ${id}, which is not an identity of its own` })
  }
  const fetchOne = async (entry: MatchedEntry): Promise<JwtSvid | undefined> => {
    try {
      return await source.fetchJwtSvid(entry, audience, workload.signal)
    } catch (error) {
      if (isGone(error)) return undefined
      if (workload.signal.aborted) throw new IdentityError('CANCELED', 'the caller has gone')
      throw new IdentityError('UNAVAILABLE', `could not fetch JWT-SVID: ${reasonOf(error)}`, {
        cause: error,
      })
    }
  }
  const svids: JwtSvid[] = []
  for (let start = 0; start < entries.length; start += MAX_PARALLEL_FETCHES) {
    const some = entries.slice(start, start + MAX_PARALLEL_FETCHES)
    const fetched = await Promise.all(some.map(fetchOne))
    svids.push(...fetched.filter((svid) => svid !== undefined))
  }
  if (svids.length === 0) throw noIdentity(whyNone?.(workload))
  requireAlive(workload)
  log.debug(
    { pid: workload.caller.pid, spiffeIds: svids.map((svid) => svid.id) },
    'Sending JWT-SVIDs to a workload',
  )
  return { svids: svids.map(({ token, id, hint }) => ({ spiffe_id: id, svid: token, hint })) }
}

/** Streams until the caller goes away; an update that changes nothing in the answer is not sent. */
export async function answerJwtBundles(
  deps: AnswerDeps,
  workload: Workload,
  send: Send<JWTBundlesResponseInput>,
): Promise<void> {
  await sendBundles(deps, workload, jwksOf, (bundles) => send({ bundles }))
}

/** The entry was deleted between the match and the fetch. */
function isGone(error: unknown): boolean {
  return error instanceof IdentityError && error.code === 'NO_IDENTITY_ISSUED'
}

function parseWishedId(text: string): SpiffeId {
  try {
    return parseSpiffeId(text)
  } catch (cause) {
    throw new IdentityError('REQUEST_INVALID', `invalid requested SPIFFE ID: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

function invalid(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
