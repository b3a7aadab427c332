/** Trust bundles in PostgreSQL, read and changed inside one transaction under the lock of their row. */
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import { decodeBundle, encodeBundle } from '../sql/bundle-document.ts'
import { decodeEntry, ENTRY_COLUMNS, type StoredEntry } from '../sql/entry-row.ts'
import { cutPage, keyAfter, pageSize } from '../sql/paging.ts'
import type { BundleRow } from '../sql/tables.ts'
import type { BundleRemoval, BundleStore, RemoveBundleResult } from '../store.ts'
import { nextRevision, writeEntries } from './entry-statements.ts'
import { deleteEntryRows } from './entry-store.ts'
import type { PostgresDeps } from './postgres-deps.ts'
import type { Session } from './session.ts'
import type { WriteSession } from './write-queue.ts'

const LIST = 'bundles'

/** Entries changed in one statement when their bundle goes. */
const ENTRIES_AT_ONCE = 1_000

export function bundleStore({ connection, queue }: PostgresDeps): BundleStore {
  const { reads } = connection
  return {
    find: (trustDomain) => findBundle(reads, trustDomain),
    list: async (page) => {
      const size = pageSize(page)
      const rows = await reads.all<BundleRow>(
        `select trust_domain, document from bundles
          where trust_domain > $1 order by trust_domain limit $2`,
        keyAfter(page, LIST),
        size + 1,
      )
      return cutPage(rows, size, LIST, (row) => row.trust_domain, decodeBundle)
    },
    count: async () =>
      (await reads.one<{ count: number }>('select count(*) as count from bundles'))?.count ?? 0,
    update: (trustDomain, change) =>
      queue.write([`bundle/${trustDomain}`], (session) =>
        updateBundle(session, trustDomain, change),
      ),
    remove: (trustDomain, mode) =>
      queue.write([`bundle/${trustDomain}`], (session) => removeBundle(session, trustDomain, mode)),
  }
}

/**
 * The transaction holds the key of this bundle: there is no row to lock before the first one is written.
 * @returns the bundle that is there afterwards
 */
export async function updateBundle(
  session: WriteSession,
  trustDomain: TrustDomain,
  change: (current: Bundle | undefined) => Bundle | undefined,
): Promise<Bundle | undefined> {
  const current = await findBundle(session, trustDomain, 'for no key update')
  const next = change(current)
  if (next === undefined || next === current) return current
  // A bundle filed under another name would let one trust domain vouch for another.
  if (next.trustDomain !== trustDomain) {
    throw new Error(`bundle of ${next.trustDomain} was about to be stored as ${trustDomain}`)
  }
  const document = encodeBundle(next)
  await session.run(
    `insert into bundles (trust_domain, document) values ($1, $2)
      on conflict (trust_domain) do update set document = excluded.document`,
    trustDomain,
    document,
  )
  session.record('bundle', trustDomain)
  return decodeBundle({ trust_domain: trustDomain, document })
}

async function removeBundle(
  session: WriteSession,
  trustDomain: TrustDomain,
  mode: BundleRemoval,
): Promise<RemoveBundleResult> {
  // From here on no entry can begin to federate with it: that would need the row we lock.
  const bundle = await findBundle(session, trustDomain, 'for update')
  if (bundle === undefined) return { kind: 'not-found' }
  if (mode === 'restrict') {
    const entryCount = await countUsers(session, trustDomain)
    if (entryCount > 0) return { kind: 'in-use', entryCount }
  } else {
    await releaseUsers(session, trustDomain, mode)
  }
  await session.run('delete from bundles where trust_domain = $1', trustDomain)
  session.record('bundle', trustDomain)
  return { kind: 'removed' }
}

async function countUsers(session: Session, trustDomain: TrustDomain): Promise<number> {
  const counted = await session.one<{ count: number }>(
    'select count(*) as count from entry_federates_with where trust_domain = $1',
    trustDomain,
  )
  return counted?.count ?? 0
}

async function releaseUsers(
  session: WriteSession,
  trustDomain: TrustDomain,
  mode: 'delete' | 'dissociate',
): Promise<void> {
  for (let row = 0; ; ) {
    const users = await session.all<StoredEntry>(
      `select ${ENTRY_COLUMNS.join(', ')} from entries
        where row > $1::bigint
          and row in (select entry_row from entry_federates_with where trust_domain = $2)
        order by row limit ${ENTRIES_AT_ONCE} for update`,
      row,
      trustDomain,
    )
    const last = users.at(-1)
    if (last === undefined) return
    row = last.row
    // What we waited for may have taken the trust domain out of the entry meanwhile.
    const still = users
      .map((user) => ({ row: user.row, id: user.id, entry: decodeEntry(user) }))
      .filter(({ entry }) => entry.federatesWith.includes(trustDomain))
    if (mode === 'delete') {
      await deleteEntryRows(session, still)
      continue
    }
    // a new revision, or agents would keep handing the removed bundle out
    const changed = still.map(({ row, entry }) => {
      const federatesWith = entry.federatesWith.filter((name) => name !== trustDomain)
      return { row, entry: nextRevision(entry, { ...entry, federatesWith }) }
    })
    await writeEntries(session, changed)
    for (const { entry } of changed) session.record('entry', entry.id)
  }
}

async function findBundle(
  session: Session,
  trustDomain: TrustDomain,
  lock: '' | 'for update' | 'for no key update' = '',
): Promise<Bundle | undefined> {
  const row = await session.one<BundleRow>(
    `select trust_domain, document from bundles where trust_domain = $1 ${lock}`,
    trustDomain,
  )
  return row === undefined ? undefined : decodeBundle(row)
}
