/** Asks the server to sign what workloads get. What it says about the agent itself goes to the agent's standing. */
import type { BatchNewX509SVIDResponse } from '../../proto/gen/spire/api/server/svid/v1/BatchNewX509SVIDResponse.ts'
import type { NewJWTSVIDResponse } from '../../proto/gen/spire/api/server/svid/v1/NewJWTSVIDResponse.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SignJwt } from '../cache/jwt-svids.ts'
import type { SignX509, X509Answer } from '../cache/x509-svids.ts'
import { type CallLimits, callUnary } from './call.ts'
import type { Lease, ServerConnection } from './server-connection.ts'
import type { Standing } from './standing.ts'

export interface SignDeps {
  readonly connection: ServerConnection
  readonly standing: Standing
  readonly clock: Clock
}

/**
 * With another server to go to, the first one is not waited for any longer: SVIDs end meanwhile. A server signs the
 * largest batch in a tenth of it.
 */
const FIRST_ANSWER_MS = 5_000

export function signX509With(deps: SignDeps): SignX509 {
  return (requests, signal) =>
    overLease(deps, signal, async (lease, limits) => {
      const params = requests.map(({ entryId, csr }) => ({ entry_id: entryId, csr }))
      const { results } = await callUnary<BatchNewX509SVIDResponse>(
        (done) => lease.svid.BatchNewX509SVID({ params }, done),
        limits,
      )
      return results.map(toAnswer)
    })
}

type Result = BatchNewX509SVIDResponse['results'][number]

function toAnswer({ status, svid }: Result): X509Answer {
  if (status !== null && status.code !== 0) {
    const why = `the server refused to sign: ${status.message}`
    return { kind: 'refused', error: new IdentityError('NOT_AUTHORIZED', why) }
  }
  return { kind: 'signed', chain: svid?.cert_chain ?? [] }
}

export function signJwtWith(deps: SignDeps): SignJwt {
  return (entryId, audience, signal) =>
    overLease(deps, signal, async (lease, limits) => {
      const { svid } = await callUnary<NewJWTSVIDResponse>(
        (done) => lease.svid.NewJWTSVID({ entry_id: entryId, audience: [...audience] }, done),
        limits,
      )
      return svid?.token ?? ''
    })
}

/**
 * A server that is away, or does not answer, is left, and the next one asked at once: somebody may be waiting for the
 * answer. Signing twice does no harm.
 */
async function overLease<T>(
  { connection, standing, clock }: SignDeps,
  signal: AbortSignal,
  call: (lease: Lease, limits: CallLimits) => Promise<T>,
): Promise<T> {
  const first = connection.lease()
  try {
    const deadlineMs = connection.hasOthers() ? FIRST_ANSWER_MS : undefined
    const either = AbortSignal.any([signal, first.left])
    return await call(first, { clock, signal: either, deadlineMs })
  } catch (error) {
    // Somebody else has found out meanwhile that this server does not answer.
    const wasLeft = first.left.aborted && !signal.aborted
    if (!wasLeft) standing.report(error, first)
    const explained = connection.explain(error)
    const canMove = connection.leave(first, error) && !signal.aborted
    if (!canMove || !(wasLeft || isAway(error))) throw explained
  }
  const next = connection.lease()
  try {
    return await call(next, { clock, signal })
  } catch (error) {
    standing.report(error, next)
    const explained = connection.explain(error)
    connection.leave(next, error)
    throw explained
  }
}

const isAway = (error: unknown) =>
  error instanceof IdentityError &&
  (error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED')
