/** What an import does with each federation relationship. They come before entries, which may need their bundles. */
import type { BatchCreateFederationRelationshipResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/BatchCreateFederationRelationshipResponse.ts'
import type { BatchUpdateFederationRelationshipResponse } from '../../../proto/gen/spire/api/server/trustdomain/v1/BatchUpdateFederationRelationshipResponse.ts'
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { trustDomainApi } from '../../../proto/load.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { attempting, type Endpoint } from '../../rpc/endpoint.ts'
import { codeName } from '../../rpc/rpc-error.ts'
import { type Requested, toRelationship } from '../federation/relationship.ts'
import { parseRelationshipFile } from '../federation/relationship-file.ts'
import type { ImportOptions } from './import-entries.ts'
import type { Item } from './read-items.ts'
import type { Tally } from './tally.ts'

type Compared = Omit<FederationRelationship, 'trust_domain_bundle'>

/** Each for itself: there are few, and one bundle may be long. @throws IdentityError when a whole request fails */
export async function importRelationship(
  server: Endpoint,
  item: Item,
  existing: ReadonlyMap<string, Compared>,
  { updates, dryRun }: ImportOptions,
  tally: Tally,
): Promise<void> {
  let wanted: Requested
  try {
    wanted = await readRelationship(item)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return tally.refuse(item.line, reasonOf(error).replaceAll('federationRelationships[0].', ''))
  }
  const present = existing.get(wanted.trust_domain)
  if (present !== undefined && isSame(present, wanted)) return tally.count('unchanged')
  if (present !== undefined && !updates) {
    return tally.refuse(
      item.line,
      `the federation with ${wanted.trust_domain} is another: give -update to change it`,
    )
  }
  const kind = present === undefined ? 'create' : 'update'
  if (dryRun) return tally.count(kind)
  const { code, message } = await send(server, kind, wanted)
  if (code === 0) tally.count(kind)
  else tally.refuse(item.line, `the server refuses it: ${message} (${codeName(code)})`)
}

async function readRelationship({ value, problem }: Item): Promise<Requested> {
  if (problem !== undefined) throw new IdentityError('REQUEST_INVALID', problem)
  const unknown: string[] = []
  const [described] = parseRelationshipFile({ federationRelationships: [value] }, unknown)
  const [meaningless] = unknown
  if (described === undefined || meaningless !== undefined) {
    const what = meaningless ?? 'nothing'
    throw new IdentityError('REQUEST_INVALID', `${what} is no member of a federation relationship`)
  }
  return await toRelationship(described)
}

/** The bundle does not count: it is fetched anew all the time. */
function isSame(one: Compared, other: Compared): boolean {
  const told = (of: Compared) =>
    JSON.stringify([
      of.bundle_endpoint_url,
      of.bundle_endpoint_profile,
      of.https_spiffe?.endpoint_spiffe_id ?? '',
    ])
  return told(one) === told(other)
}

async function send(server: Endpoint, kind: 'create' | 'update', wanted: Requested) {
  const client = server.client(trustDomainApi())
  const federation_relationships = [wanted]
  const call =
    kind === 'create'
      ? server.call<BatchCreateFederationRelationshipResponse>((options, done) =>
          client.BatchCreateFederationRelationship({ federation_relationships }, options, done),
        )
      : server.call<BatchUpdateFederationRelationshipResponse>((options, done) =>
          client.BatchUpdateFederationRelationship({ federation_relationships }, options, done),
        )
  const { results } = await attempting(`unable to ${kind} the federation relationship`, call)
  return results[0]?.status ?? { code: 2, message: 'no answer' }
}
