/** Asks the server to sign what workloads get. What it says about the agent itself goes to the agent's standing. */
import type { BatchNewX509SVIDResponse } from '../../proto/gen/spire/api/server/svid/v1/BatchNewX509SVIDResponse.ts'
import type { NewJWTSVIDResponse } from '../../proto/gen/spire/api/server/svid/v1/NewJWTSVIDResponse.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SignJwt } from '../cache/jwt-svids.ts'
import type { SignX509, X509Answer } from '../cache/x509-svids.ts'
import { callUnary } from './call.ts'
import type { Lease, ServerConnection } from './server-connection.ts'
import type { Standing } from './standing.ts'

export interface SignDeps {
  readonly connection: ServerConnection
  readonly standing: Standing
  readonly clock: Clock
}

export function signX509With(deps: SignDeps): SignX509 {
  return (requests, signal) =>
    overLease(deps, async (lease) => {
      const params = requests.map(({ entryId, csr }) => ({ entry_id: entryId, csr }))
      const { results } = await callUnary<BatchNewX509SVIDResponse>(
        (done) => lease.svid.BatchNewX509SVID({ params }, done),
        { clock: deps.clock, signal },
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
    overLease(deps, async (lease) => {
      const { svid } = await callUnary<NewJWTSVIDResponse>(
        (done) => lease.svid.NewJWTSVID({ entry_id: entryId, audience: [...audience] }, done),
        { clock: deps.clock, signal },
      )
      return svid?.token ?? ''
    })
}

/** A server that is away is left, and the next one asked at once: somebody may be waiting for the answer. */
async function overLease<T>(
  { connection, standing }: SignDeps,
  call: (lease: Lease) => Promise<T>,
): Promise<T> {
  const tryOn = async (lease: Lease) => {
    try {
      return await call(lease)
    } catch (error) {
      standing.report(error, lease)
      throw error
    }
  }
  const lease = connection.lease()
  try {
    return await tryOn(lease)
  } catch (error) {
    const explained = connection.explain(error)
    const isAway = error instanceof IdentityError && error.code === 'UNAVAILABLE'
    if (!connection.leave(lease, error) || !isAway) throw explained
  }
  const next = connection.lease()
  try {
    return await tryOn(next)
  } catch (error) {
    const explained = connection.explain(error)
    connection.leave(next, error)
    throw explained
  }
}
