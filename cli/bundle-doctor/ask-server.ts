/** Asks a server, SPIRE's or ours, for all that the doctor looks at. What it does not tell is left out. */
import type { ListAgentsResponse } from '../../proto/gen/spire/api/server/agent/v1/ListAgentsResponse.ts'
import type { ListFederatedBundlesResponse } from '../../proto/gen/spire/api/server/bundle/v1/ListFederatedBundlesResponse.ts'
import type { GetInfoResponse } from '../../proto/gen/spire/api/server/debug/v1/GetInfoResponse.ts'
import type { ListFederationRelationshipsResponse } from '../../proto/gen/spire/api/server/trustdomain/v1/ListFederationRelationshipsResponse.ts'
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import {
  agentApi,
  bundleApi,
  debugApi,
  localAuthorityApi,
  trustDomainApi,
} from '../../proto/load.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Endpoint } from '../rpc/endpoint.ts'
import { askStanding } from '../server/federation/ask-standing.ts'
import { type Examined, joined } from './examination.ts'
import { examineJwt, examineX509, type OwnAuthorities } from './examine-authorities.ts'
import { examineFederations } from './examine-federation.ts'
import { examineAgents, examineServerSvid } from './examine-svids.ts'

const PAGE_SIZE = 1000
/** Of each list; nobody reads a calendar of more. */
const MAX_PAGES = 100

export async function examineServer(server: Endpoint, now: Date): Promise<Examined> {
  const bundles = server.client(bundleApi())
  const authorities = server.client(localAuthorityApi())
  const trustDomains = server.client(trustDomainApi())
  const agents = server.client(agentApi())
  const debug = server.client(debugApi())
  const own = await server.call<Bundle>((options, done) => bundles.GetBundle({}, options, done))
  const x509 = await ifTold(() =>
    server.call<OwnAuthorities>((options, done) =>
      authorities.GetX509AuthorityState({}, options, done),
    ),
  )
  const jwt = await ifTold(() =>
    server.call<OwnAuthorities>((options, done) =>
      authorities.GetJWTAuthorityState({}, options, done),
    ),
  )
  const federated = await allPages((page) =>
    server.call<ListFederatedBundlesResponse>((options, done) =>
      bundles.ListFederatedBundles(page, options, done),
    ),
  )
  const relationships = await allPages((page) =>
    server.call<ListFederationRelationshipsResponse>((options, done) =>
      trustDomains.ListFederationRelationships(page, options, done),
    ),
  )
  const attested = await allPages((page) =>
    server.call<ListAgentsResponse>((options, done) => agents.ListAgents(page, options, done)),
  )
  const info = await ifTold(() =>
    server.call<GetInfoResponse>((options, done) => debug.GetInfo({}, options, done)),
  )
  return joined([
    examineX509(own, x509, now),
    examineJwt(own, jwt, now),
    examineServerSvid(info, now),
    examineFederations(
      {
        bundles: federated.flatMap((page) => page.bundles),
        relationships: relationships.flatMap((page) => page.federation_relationships),
        standings: await askStanding(server, ''),
      },
      now,
    ),
    examineAgents(
      attested.flatMap((page) => page.agents),
      now,
    ),
  ])
}

interface PageRequest {
  readonly page_size: number
  readonly page_token: string
}

async function allPages<T extends { readonly next_page_token: string }>(
  ask: (page: PageRequest) => Promise<T>,
): Promise<readonly T[]> {
  const pages: T[] = []
  let page_token = ''
  do {
    const page = await ask({ page_size: PAGE_SIZE, page_token })
    pages.push(page)
    page_token = page.next_page_token
  } while (page_token !== '' && pages.length < MAX_PAGES)
  return pages
}

/** JWT-SVIDs may be disabled, and a server at its start has no authority yet; all else is a failure. */
async function ifTold<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof IdentityError && UNTOLD.has(error.code)) return undefined
    throw error
  }
}

const UNTOLD: ReadonlySet<string> = new Set(['NOT_IMPLEMENTED', 'PRECONDITION_FAILED'])
