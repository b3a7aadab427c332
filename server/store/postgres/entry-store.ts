/** Registration entries in PostgreSQL. Every write leaves a change record in its own transaction. */
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Entry, EntryFields } from '../../entries/entry.ts'
import type { ReadOptions } from '../page.ts'
import { countOf, pageOf } from '../sql/condition.ts'
import {
  decodeEntry,
  decodeInTurn,
  ENTRY_COLUMNS,
  type StoredEntry,
  similarityOf,
} from '../sql/entry-row.ts'
import { filteredEntries } from '../sql/filtered.ts'
import { cutPage, pageSize, rowAfter } from '../sql/paging.ts'
import type { EntryStore, EntryUpdate, RemoveEntryResult, UpdateEntryResult } from '../store.ts'
import { createEntries } from './create-entries.ts'
import { type EntryToWrite, nextRevision, writeEntries } from './entry-statements.ts'
import { createBundleFinder } from './find-bundles.ts'
import type { PostgresDeps } from './postgres-deps.ts'
import { select } from './run-query.ts'
import type { WriteKey } from './write-keys.ts'
import type { WriteSession } from './write-queue.ts'

const LIST = 'entries'
export const SELECT_ENTRY = `select ${ENTRY_COLUMNS.join(', ')} from entries`

export function entryStore({ connection, queue, clock, randomId }: PostgresDeps): EntryStore {
  const { reads } = connection
  const readsFor = ({ mayLag = false }: ReadOptions) => (mayLag ? connection.laggingReads : reads)
  return {
    create: (entries) => {
      const wanted = entries.map((entry) => ({
        ...{ entry, id: entry.id ?? randomId(), similarity: similarityOf(entry) },
      }))
      const keys = wanted.flatMap(({ id, similarity }): WriteKey[] => [
        `similar/${similarity}`,
        `entry/${id}`,
      ])
      return queue.write(keys, (session) => createEntries(session, wanted, clock.now()))
    },
    update: (updates) =>
      queue.write(
        updates.map(({ id }): WriteKey => `entry/${id}`),
        (session) => updateEntries(session, updates),
      ),
    remove: (ids) =>
      queue.write(
        ids.map((id): WriteKey => `entry/${id}`),
        (session) => removeEntries(session, ids),
      ),
    find: async (id) => {
      const row = await reads.one<StoredEntry>(`${SELECT_ENTRY} where id = $1`, id)
      return row === undefined ? undefined : decodeEntry(row)
    },
    findMany: async (ids) =>
      (await reads.all<StoredEntry>(`${SELECT_ENTRY} where id = any($1::text[])`, ids)).map(
        decodeInTurn(),
      ),
    list: async (filter, page) => {
      const size = pageSize(page)
      const after = rowAfter(page, LIST)
      const rows = await select<StoredEntry>(
        readsFor(page),
        pageOf(filteredEntries(filter), { columns: ENTRY_COLUMNS, after, limit: size + 1 }),
      )
      return cutPage(rows, size, LIST, (row) => row.row, decodeInTurn())
    },
    count: async (filter, options = {}) => {
      const counted = countOf(filteredEntries(filter))
      return (await select<{ count: number }>(readsFor(options), counted))[0]?.count ?? 0
    },
    pruneExpired: (now, limit) => queue.write([], (session) => pruneEntries(session, now, limit)),
  }
}

/** One after the other, as if each had been written before the next; written together at the end. */
async function updateEntries(
  session: WriteSession,
  updates: readonly EntryUpdate[],
): Promise<readonly UpdateEntryResult[]> {
  const rows = await session.all<StoredEntry>(
    `${SELECT_ENTRY} where id = any($1::text[]) order by row for update`,
    updates.map(({ id }) => id),
  )
  const current = new Map(rows.map((row) => [row.id, { row: row.row, entry: decodeEntry(row) }]))
  const written = new Map<string, EntryToWrite>()
  const missingBundle = createBundleFinder(session)
  const results: UpdateEntryResult[] = []
  for (const { id, change } of updates) {
    const present = current.get(id)
    if (present === undefined) {
      results.push({ kind: 'not-found', id })
      continue
    }
    const fields = outcomeOf(change, present.entry)
    if (fields instanceof IdentityError) {
      results.push({ kind: 'refused', error: fields })
      continue
    }
    const missing = await missingBundle(fields.federatesWith)
    if (missing !== undefined) {
      results.push({ kind: 'bundle-missing', trustDomain: missing })
      continue
    }
    const next = { row: present.row, entry: nextRevision(present.entry, fields) }
    current.set(id, next)
    written.set(id, next)
    session.record('entry', id)
    results.push({ kind: 'updated', entry: next.entry })
  }
  await writeEntries(session, [...written.values()])
  return results
}

function outcomeOf(change: (current: Entry) => EntryFields, entry: Entry) {
  try {
    return change(entry)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return error
  }
}

async function removeEntries(
  session: WriteSession,
  ids: readonly string[],
): Promise<readonly RemoveEntryResult[]> {
  const rows = await session.all<{ id: string }>(
    'delete from entries where id = any($1::text[]) returning id',
    ids,
  )
  const gone = new Set(rows.map(({ id }) => id))
  return ids.map((id) => {
    if (!gone.delete(id)) return { kind: 'not-found', id }
    session.record('entry', id)
    return { kind: 'removed', id }
  })
}

async function pruneEntries(session: WriteSession, now: Date, limit: number) {
  const rows = await session.all<StoredEntry>(
    `with old as materialized (
        select row from entries where expires_at < $1::bigint
          order by expires_at, row limit $2::bigint for update
      ) delete from entries using old where entries.row = old.row
        returning ${ENTRY_COLUMNS.map((column) => `entries.${column}`).join(', ')}`,
    unixSeconds(now),
    limit,
  )
  rows.sort((a, b) => (a.expires_at ?? 0) - (b.expires_at ?? 0) || a.row - b.row)
  for (const { id } of rows) session.record('entry', id)
  return rows.map(decodeEntry)
}

/** Deletes rows that are locked already, and records it. */
export async function deleteEntryRows(
  session: WriteSession,
  rows: readonly Pick<StoredEntry, 'row' | 'id'>[],
): Promise<void> {
  if (rows.length === 0) return
  await session.run(
    'delete from entries where row = any($1::bigint[])',
    rows.map(({ row }) => row),
  )
  for (const { id } of rows) session.record('entry', id)
}
