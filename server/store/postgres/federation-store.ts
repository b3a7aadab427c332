/** Federation relationships in PostgreSQL; a bundle that comes with one is written in the same transaction. */
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { FederationRelationship } from '../../federation/relationship.ts'
import { cutPage, keyAfter, pageSize } from '../sql/paging.ts'
import { decodeRelationship } from '../sql/relationship-row.ts'
import type { FederationRow } from '../sql/tables.ts'
import type { FederationStore } from '../store.ts'
import { updateBundle } from './bundle-store.ts'
import type { PostgresDeps } from './postgres-deps.ts'
import type { Session } from './session.ts'
import type { WriteKey } from './write-keys.ts'
import type { WriteSession } from './write-queue.ts'

const LIST = 'federation'
/** By name: a column that the next version adds must not change what prepared statements answer. */
const COLUMNS = 'trust_domain, endpoint_url, profile, endpoint_spiffe_id'

export function federationStore({ connection, queue }: PostgresDeps): FederationStore {
  const { reads } = connection
  return {
    find: (trustDomain) => find(reads, trustDomain),
    list: async (page) => {
      const size = pageSize(page)
      const rows = await reads.all<FederationRow>(
        `select ${COLUMNS} from federation_relationships
          where trust_domain > $1 order by trust_domain limit $2`,
        keyAfter(page, LIST),
        size + 1,
      )
      return cutPage(rows, size, LIST, (row) => row.trust_domain, decodeRelationship)
    },
    create: (relationship, bundle) =>
      queue.write(keysOf(relationship.trustDomain), async (session) => {
        if ((await find(session, relationship.trustDomain)) !== undefined) return false
        await save(session, relationship)
        await seed(session, relationship.trustDomain, bundle)
        return true
      }),
    update: (trustDomain, change, bundle) =>
      queue.write(keysOf(trustDomain), async (session) => {
        const current = await find(session, trustDomain)
        if (current === undefined) return undefined
        const next = change(current)
        if (next.trustDomain !== trustDomain) {
          throw new Error(
            `relationship with ${next.trustDomain} was to be stored as ${trustDomain}`,
          )
        }
        await save(session, next)
        await seed(session, trustDomain, bundle)
        return next
      }),
    remove: (trustDomain) =>
      queue.write(keysOf(trustDomain), async (session) => {
        const removed = await session.run(
          'delete from federation_relationships where trust_domain = $1',
          trustDomain,
        )
        return removed === 1
      }),
  }
}

/** Each writer of a relationship holds its key, so that what was read is still there when it writes. */
function keysOf(trustDomain: TrustDomain): readonly WriteKey[] {
  return [`federation/${trustDomain}`, `bundle/${trustDomain}`]
}

async function save(session: Session, relationship: FederationRelationship): Promise<void> {
  const { trustDomain, endpointUrl, profile } = relationship
  await session.run(
    `insert into federation_relationships
        (trust_domain, endpoint_url, profile, endpoint_spiffe_id) values ($1, $2, $3, $4)
      on conflict (trust_domain) do update set endpoint_url = excluded.endpoint_url,
        profile = excluded.profile, endpoint_spiffe_id = excluded.endpoint_spiffe_id`,
    trustDomain,
    endpointUrl,
    profile.kind,
    profile.kind === 'https_spiffe' ? profile.endpointId : null,
  )
}

async function seed(
  session: WriteSession,
  trustDomain: TrustDomain,
  bundle: Bundle | undefined,
): Promise<void> {
  if (bundle !== undefined) await updateBundle(session, trustDomain, () => bundle)
}

async function find(session: Session, trustDomain: TrustDomain) {
  const row = await session.one<FederationRow>(
    `select ${COLUMNS} from federation_relationships where trust_domain = $1`,
    trustDomain,
  )
  return row === undefined ? undefined : decodeRelationship(row)
}
