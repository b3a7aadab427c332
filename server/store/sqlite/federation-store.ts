/** Federation relationships in SQLite; a bundle that comes with one is written in the same transaction. */
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { FederationRelationship } from '../../federation/relationship.ts'
import { cutPage, keyAfter, pageSize } from '../sql/paging.ts'
import { decodeRelationship } from '../sql/relationship-row.ts'
import type { FederationRow } from '../sql/tables.ts'
import type { FederationStore } from '../store.ts'
import { updateBundle } from './bundle-store.ts'
import type { Connection } from './connection.ts'
import type { SqliteDeps } from './sqlite-deps.ts'
import type { RecordChange } from './write-queue.ts'

const LIST = 'federation'
const COLUMNS = 'trust_domain, endpoint_url, profile, endpoint_spiffe_id'

export function federationStore({ connection, queue }: SqliteDeps): FederationStore {
  return {
    find: (trustDomain) => connection.read(() => find(connection, trustDomain)),
    list: (page) =>
      connection.read(() => {
        const size = pageSize(page)
        const rows = connection.all<FederationRow>(
          `select ${COLUMNS} from federation_relationships
            where trust_domain > ? order by trust_domain limit ?`,
          keyAfter(page, LIST),
          size + 1,
        )
        return cutPage(rows, size, LIST, (row) => row.trust_domain, decodeRelationship)
      }),
    create: (relationship, bundle) =>
      queue.write((record) => {
        if (find(connection, relationship.trustDomain) !== undefined) return false
        save(connection, relationship)
        seed(connection, record, relationship.trustDomain, bundle)
        return true
      }),
    update: (trustDomain, change, bundle) =>
      queue.write((record) => {
        const current = find(connection, trustDomain)
        if (current === undefined) return undefined
        const next = change(current)
        if (next.trustDomain !== trustDomain) {
          throw new Error(
            `relationship with ${next.trustDomain} was to be stored as ${trustDomain}`,
          )
        }
        save(connection, next)
        seed(connection, record, trustDomain, bundle)
        return next
      }),
    remove: (trustDomain) =>
      queue.write(
        () =>
          connection.run('delete from federation_relationships where trust_domain = ?', trustDomain)
            .changes === 1,
      ),
  }
}

function save(connection: Connection, relationship: FederationRelationship): void {
  const { trustDomain, endpointUrl, profile } = relationship
  connection.run(
    `insert into federation_relationships
        (trust_domain, endpoint_url, profile, endpoint_spiffe_id) values (?, ?, ?, ?)
      on conflict (trust_domain) do update set endpoint_url = excluded.endpoint_url,
        profile = excluded.profile, endpoint_spiffe_id = excluded.endpoint_spiffe_id`,
    trustDomain,
    endpointUrl,
    profile.kind,
    profile.kind === 'https_spiffe' ? profile.endpointId : null,
  )
}

function seed(
  connection: Connection,
  record: RecordChange,
  trustDomain: TrustDomain,
  bundle: Bundle | undefined,
): void {
  if (bundle !== undefined) updateBundle(connection, record, trustDomain, () => bundle)
}

function find(connection: Connection, trustDomain: TrustDomain) {
  const row = connection.one<FederationRow>(
    `select ${COLUMNS} from federation_relationships where trust_domain = ?`,
    trustDomain,
  )
  return row === undefined ? undefined : decodeRelationship(row)
}
