/** Trust bundles in SQLite, read and changed inside one transaction. */
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import { decodeBundle, encodeBundle } from '../sql/bundle-document.ts'
import { decodeEntry } from '../sql/entry-row.ts'
import { cutPage, keyAfter, pageSize } from '../sql/paging.ts'
import type { BundleRow } from '../sql/tables.ts'
import type { BundleRemoval, BundleStore, RemoveBundleResult } from '../store.ts'
import type { Connection } from './connection.ts'
import { deleteEntryRow, entryRowsWhere, writeFields } from './entry-store.ts'
import type { SqliteDeps } from './sqlite-deps.ts'
import type { RecordChange } from './write-queue.ts'

const LIST = 'bundles'

export function bundleStore({ connection, queue }: SqliteDeps): BundleStore {
  return {
    find: (trustDomain) => connection.read(() => findBundle(connection, trustDomain)),
    list: (page) =>
      connection.read(() => {
        const size = pageSize(page)
        const rows = connection.all<BundleRow>(
          `select trust_domain, document from bundles
            where trust_domain > ? order by trust_domain limit ?`,
          keyAfter(page, LIST),
          size + 1,
        )
        return cutPage(rows, size, LIST, (row) => row.trust_domain, decodeBundle)
      }),
    count: () =>
      connection.read(
        () =>
          connection.one<{ count: number }>('select count(*) as count from bundles')?.count ?? 0,
      ),
    update: (trustDomain, change) =>
      queue.write((record) => updateBundle(connection, record, trustDomain, change)),
    remove: (trustDomain, mode) =>
      queue.write((record) => removeBundle(connection, record, trustDomain, mode)),
  }
}

/** @returns the bundle that is there afterwards */
export function updateBundle(
  connection: Connection,
  record: RecordChange,
  trustDomain: TrustDomain,
  change: (current: Bundle | undefined) => Bundle | undefined,
): Bundle | undefined {
  const current = findBundle(connection, trustDomain)
  const next = change(current)
  if (next === undefined || next === current) return current
  // A bundle filed under another name would let one trust domain vouch for another.
  if (next.trustDomain !== trustDomain) {
    throw new Error(`bundle of ${next.trustDomain} was about to be stored as ${trustDomain}`)
  }
  connection.run(
    `insert into bundles (trust_domain, document) values (?, ?)
      on conflict (trust_domain) do update set document = excluded.document`,
    trustDomain,
    encodeBundle(next),
  )
  record('bundle', trustDomain)
  return findBundle(connection, trustDomain)
}

function removeBundle(
  connection: Connection,
  record: RecordChange,
  trustDomain: TrustDomain,
  mode: BundleRemoval,
): RemoveBundleResult {
  if (findBundle(connection, trustDomain) === undefined) return { kind: 'not-found' }
  const users = entryRowsWhere(
    connection,
    'row in (select entry_row from entry_federates_with where trust_domain = ?)',
    trustDomain,
  )
  if (users.length > 0 && mode === 'restrict') return { kind: 'in-use', entryCount: users.length }
  for (const row of users) {
    if (mode === 'delete') {
      deleteEntryRow(connection, record, row)
    } else {
      const entry = decodeEntry(row)
      const federatesWith = entry.federatesWith.filter((name) => name !== trustDomain)
      // a new revision, or agents would keep handing the removed bundle out
      writeFields(connection, record, row, { ...entry, federatesWith })
    }
  }
  connection.run('delete from bundles where trust_domain = ?', trustDomain)
  record('bundle', trustDomain)
  return { kind: 'removed' }
}

function findBundle(connection: Connection, trustDomain: TrustDomain): Bundle | undefined {
  const row = connection.one<BundleRow>(
    'select trust_domain, document from bundles where trust_domain = ?',
    trustDomain,
  )
  return row === undefined ? undefined : decodeBundle(row)
}
