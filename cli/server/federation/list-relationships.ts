/** Every federation relationship of a server, page by page. */
import type { ListFederationRelationshipsResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/ListFederationRelationshipsResponse.ts'
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { attempting, type Endpoint } from '../../rpc/endpoint.ts'

const PAGE_SIZE = 1000

/** @throws IdentityError */
export async function listRelationships(server: Endpoint): Promise<FederationRelationship[]> {
  const client = server.client(trustDomainApi())
  const all: FederationRelationship[] = []
  let page_token = ''
  do {
    const call = server.call<ListFederationRelationshipsResponse>((options, done) =>
      client.ListFederationRelationships({ page_size: PAGE_SIZE, page_token }, options, done),
    )
    const page = await attempting('error listing federation relationship', call)
    all.push(...page.federation_relationships)
    page_token = page.next_page_token
  } while (page_token !== '')
  return all
}
