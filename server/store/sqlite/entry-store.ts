/** Registration entries in SQLite. Every write leaves a change record in its own transaction. */
import { unixSeconds } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { Entry, EntryFields, NewEntry } from '../../entries/entry.ts'
import { countOf, pageOf } from '../sql/condition.ts'
import {
  decodeEntry,
  decodeInTurn,
  ENTRY_COLUMNS,
  fieldValues,
  type StoredEntry,
  similarityOf,
} from '../sql/entry-row.ts'
import { filteredEntries } from '../sql/filtered.ts'
import { cutPage, pageSize, rowAfter } from '../sql/paging.ts'
import type {
  CreateEntryResult,
  EntryStore,
  EntryUpdate,
  RemoveEntryResult,
  UpdateEntryResult,
} from '../store.ts'
import type { Connection } from './connection.ts'
import { INSERT_ENTRY, UPDATE_ENTRY } from './entry-statements.ts'
import { inChunks } from './in-chunks.ts'
import type { SqliteDeps } from './sqlite-deps.ts'
import type { RecordChange } from './write-queue.ts'

const LIST = 'entries'
const SELECT = `select ${ENTRY_COLUMNS.join(', ')} from entries`

export function entryStore(deps: SqliteDeps): EntryStore {
  const { connection, queue } = deps
  return {
    create: (entries) =>
      queue.write((record) => entries.map((entry) => createEntry(deps, record, entry))),
    update: (updates) =>
      queue.write((record) => updates.map((update) => updateEntry(connection, record, update))),
    remove: (ids) => queue.write((record) => ids.map((id) => removeEntry(connection, record, id))),
    find: (id) => connection.read(() => entryOf(findRow(connection, id))),
    findMany: (ids) =>
      connection.read(() => inChunks(connection, `${SELECT} where id in`, ids, decodeInTurn())),
    list: (filter, page) =>
      connection.read(() => {
        const size = pageSize(page)
        const after = rowAfter(page, LIST)
        const rows = connection.select<StoredEntry>(
          pageOf(filteredEntries(filter), { columns: ENTRY_COLUMNS, after, limit: size + 1 }),
        )
        return cutPage(rows, size, LIST, (row) => row.row, decodeInTurn())
      }),
    count: (filter) =>
      connection.read(
        () => connection.select<{ count: number }>(countOf(filteredEntries(filter)))[0]?.count ?? 0,
      ),
    pruneExpired: (now, limit) =>
      queue.write((record) =>
        connection
          .all<StoredEntry>(
            `${SELECT} where expires_at < ? order by expires_at limit ?`,
            unixSeconds(now),
            limit,
          )
          .map((row) => {
            deleteEntryRow(connection, record, row)
            return decodeEntry(row)
          }),
      ),
  }
}

function createEntry(
  { connection, clock, randomId }: SqliteDeps,
  record: RecordChange,
  entry: NewEntry,
): CreateEntryResult {
  const similar = connection.one<StoredEntry>(
    `${SELECT} where similarity = ? order by row limit 1`,
    similarityOf(entry),
  )
  if (similar !== undefined) return { kind: 'similar', entry: decodeEntry(similar) }
  const id = entry.id ?? randomId()
  // A random one is nobody's: were it somebody's, the write would fail.
  if (entry.id !== undefined && findRow(connection, id) !== undefined) {
    return { kind: 'id-taken', id }
  }
  const missing = missingBundle(connection, entry)
  if (missing !== undefined) return { kind: 'bundle-missing', trustDomain: missing }
  const createdAt = unixSeconds(clock.now())
  const created = connection.one<StoredEntry>(INSERT_ENTRY, id, createdAt, ...fieldValues(entry))
  if (created === undefined) throw new Error('the entry just written is not there')
  insertSelectors(connection, created.row, entry)
  insertFederatesWith(connection, created.row, entry)
  record('entry', id)
  return { kind: 'created', entry: decodeEntry(created) }
}

function updateEntry(
  connection: Connection,
  record: RecordChange,
  { id, change }: EntryUpdate,
): UpdateEntryResult {
  const row = findRow(connection, id)
  if (row === undefined) return { kind: 'not-found', id }
  let next: EntryFields
  try {
    next = change(decodeEntry(row))
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { kind: 'refused', error }
  }
  const missing = missingBundle(connection, next)
  if (missing !== undefined) return { kind: 'bundle-missing', trustDomain: missing }
  return { kind: 'updated', entry: writeFields(connection, record, row, next) }
}

/** Writes new fields over a row, with the next revision number. @returns the entry as it is now */
export function writeFields(
  connection: Connection,
  record: RecordChange,
  row: StoredEntry,
  fields: EntryFields,
): Entry {
  connection.run(UPDATE_ENTRY, ...fieldValues(fields), row.revision_number + 1, row.row)
  if (JSON.stringify(fields.selectors) !== row.selectors) {
    connection.run('delete from entry_selectors where entry_row = ?', row.row)
    insertSelectors(connection, row.row, fields)
  }
  if (JSON.stringify(fields.federatesWith) !== row.federates_with) {
    connection.run('delete from entry_federates_with where entry_row = ?', row.row)
    insertFederatesWith(connection, row.row, fields)
  }
  record('entry', row.id)
  const written = entryOf(findRow(connection, row.id))
  if (written === undefined) throw new Error('the entry just written is not there')
  return written
}

function removeEntry(connection: Connection, record: RecordChange, id: string): RemoveEntryResult {
  const row = findRow(connection, id)
  if (row === undefined) return { kind: 'not-found', id }
  deleteEntryRow(connection, record, row)
  return { kind: 'removed', id }
}

export function deleteEntryRow(
  connection: Connection,
  record: RecordChange,
  { row, id }: Pick<StoredEntry, 'row' | 'id'>,
): void {
  connection.run('delete from entries where row = ?', row)
  record('entry', id)
}

/** Rows of entries in the order of creation; `where` goes behind the word of that name. */
export function entryRowsWhere(
  connection: Connection,
  where: string,
  ...values: readonly string[]
): StoredEntry[] {
  return connection.all<StoredEntry>(`${SELECT} where ${where} order by row`, ...values)
}

function findRow(connection: Connection, id: string): StoredEntry | undefined {
  return connection.one<StoredEntry>(`${SELECT} where id = ?`, id)
}

function entryOf(row: StoredEntry | undefined): Entry | undefined {
  return row === undefined ? undefined : decodeEntry(row)
}

function insertSelectors(connection: Connection, row: number, { selectors }: EntryFields): void {
  for (const selector of new Set(selectors)) {
    connection.run('insert into entry_selectors (entry_row, selector) values (?, ?)', row, selector)
  }
}

function insertFederatesWith(
  connection: Connection,
  row: number,
  { federatesWith }: EntryFields,
): void {
  for (const trustDomain of new Set(federatesWith)) {
    connection.run(
      'insert into entry_federates_with (entry_row, trust_domain) values (?, ?)',
      row,
      trustDomain,
    )
  }
}

function missingBundle(
  connection: Connection,
  { federatesWith }: EntryFields,
): TrustDomain | undefined {
  return federatesWith.find(
    (trustDomain) =>
      connection.one('select 1 from bundles where trust_domain = ?', trustDomain) === undefined,
  )
}
