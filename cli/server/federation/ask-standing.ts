/** Asks a server of ours how its fetching of bundles goes. A spire-server does not tell: then there is nothing to add. */
import type { GetStandingResponse } from '../../../proto/gen/steeple/server/federation/v1/GetStandingResponse.ts'
import type { Standing } from '../../../proto/gen/steeple/server/federation/v1/Standing.ts'
import { federationApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Endpoint } from '../../rpc/endpoint.ts'

/** @param trustDomain empty: all. @returns undefined when the server does not tell */
export async function askStanding(
  server: Endpoint,
  trustDomain: string,
): Promise<readonly Standing[] | undefined> {
  const client = server.client(federationApi())
  try {
    const { standings } = await server.call<GetStandingResponse>((options, done) =>
      client.GetStanding({ trust_domain: trustDomain }, options, done),
    )
    return standings
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    if (error.code === 'NOT_IMPLEMENTED' || error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
