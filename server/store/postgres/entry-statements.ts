/**
 * How PostgreSQL writes entries: many rows in one statement, for each statement costs a way to the
 * database and back. Columns are handed over as arrays of equal length.
 */
import type { Entry, EntryFields } from '../../entries/entry.ts'
import { decodeEntry, FIELD_COLUMNS, fieldValues, type StoredEntry } from '../sql/entry-row.ts'
import type { SqlValue } from '../sql/tables.ts'
import type { WriteSession } from './write-queue.ts'

/** Columns that hold numbers; all others hold text. */
const NUMBERS: ReadonlySet<string> = new Set([
  'created_at',
  'x509_svid_ttl_seconds',
  'jwt_svid_ttl_seconds',
  'admin',
  'downstream',
  'expires_at',
  'store_svid',
  'disable_x509_svid_prefetch',
  'jwt_svid_include_jti',
  'row',
  'revision_number',
])

const arraysOf = (columns: readonly string[]) =>
  columns.map((column, i) => `$${i + 1}::${NUMBERS.has(column) ? 'bigint' : 'text'}[]`).join(', ')

const NEW_COLUMNS = ['id', 'created_at', ...FIELD_COLUMNS]
const NEW = NEW_COLUMNS.join(', ')
const NEW_COUNT = NEW_COLUMNS.length

/** In the order given, which is the order of their row numbers. */
const INSERT = `with given as (
    select * from unnest(${arraysOf(NEW_COLUMNS)}) with ordinality as given (${NEW}, place)
  ), added as (
    insert into entries (${NEW}, revision_number) select ${NEW}, 0 from given order by place
      returning row, id
  ), with_selectors as (
    insert into entry_selectors (entry_row, selector)
      select added.row, sets.value
        from unnest($${NEW_COUNT + 1}::text[], $${NEW_COUNT + 2}::text[]) as sets (id, value)
        join added on added.id = sets.id
  ), with_federation as (
    insert into entry_federates_with (entry_row, trust_domain)
      select added.row, sets.value
        from unnest($${NEW_COUNT + 3}::text[], $${NEW_COUNT + 4}::text[]) as sets (id, value)
        join added on added.id = sets.id
  ) select row, id from added`

export interface EntryToAdd {
  readonly id: string
  /** Unix seconds. */
  readonly createdAt: number
  readonly fields: EntryFields
}

/** @returns what was written, in the order given */
export async function addEntries(
  session: WriteSession,
  entries: readonly EntryToAdd[],
): Promise<readonly Entry[]> {
  if (entries.length === 0) return []
  const rows = entries.map(({ id, createdAt, fields }) => [id, createdAt, ...fieldValues(fields)])
  const selectors = pairs(entries, ({ id, fields }) => [id, fields.selectors])
  const federation = pairs(entries, ({ id, fields }) => [id, fields.federatesWith])
  await session.run(
    INSERT,
    ...columnsOf(rows, NEW_COUNT),
    ...[selectors.owners, selectors.values, federation.owners, federation.values],
  )
  for (const { id } of entries) session.record('entry', id)
  return rows.map((values) =>
    decodeEntry(rowOf(NEW_COLUMNS, values, { row: 0, revision_number: 0 })),
  )
}

const CHANGED_COLUMNS = ['row', 'revision_number', ...FIELD_COLUMNS]
const CHANGED_COUNT = CHANGED_COLUMNS.length

/** What a set loses and what it gains have nothing in common, so their order does not matter. */
const keepSet = (table: string, column: string, first: number) => `
    lost_${column} as (
      delete from ${table} using given where ${table}.entry_row = given.row
        and not exists (select 1 from unnest($${first}::bigint[], $${first + 1}::text[]) as sets (row, value)
          where sets.row = given.row and sets.value = ${table}.${column})
    ), gained_${column} as (
      insert into ${table} (entry_row, ${column})
        select sets.row, sets.value
          from unnest($${first}::bigint[], $${first + 1}::text[]) as sets (row, value)
        on conflict do nothing
    )`

const UPDATE = `with given as (
    select * from unnest(${arraysOf(CHANGED_COLUMNS)}) as given (${CHANGED_COLUMNS.join(', ')})
  ),${keepSet('entry_selectors', 'selector', CHANGED_COUNT + 1)},${keepSet(
    'entry_federates_with',
    'trust_domain',
    CHANGED_COUNT + 3,
  )}
  update entries set ${[...FIELD_COLUMNS, 'revision_number']
    .map((column) => `${column} = given.${column}`)
    .join(', ')}
    from given where entries.row = given.row`

/** An entry as it is to be from now on, and where its row is. */
export interface EntryToWrite {
  readonly row: number
  readonly entry: Entry
}

/** Writes all fields and the revision number. Each row once; change records are the caller's. */
export async function writeEntries(
  session: WriteSession,
  entries: readonly EntryToWrite[],
): Promise<void> {
  if (entries.length === 0) return
  const rows = entries.map(({ row, entry }) => [row, entry.revisionNumber, ...fieldValues(entry)])
  const selectors = pairs(entries, ({ row, entry }) => [row, entry.selectors])
  const federation = pairs(entries, ({ row, entry }) => [row, entry.federatesWith])
  await session.run(
    UPDATE,
    ...columnsOf(rows, CHANGED_COUNT),
    ...[selectors.owners, selectors.values, federation.owners, federation.values],
  )
}

/** The entry with new fields and the next revision number, as it would be read back. */
export function nextRevision(current: Entry, fields: EntryFields): Entry {
  const { id, revisionNumber, createdAt } = current
  const row = rowOf(FIELD_COLUMNS, fieldValues(fields), {
    ...{ row: 0, id, created_at: 0, revision_number: revisionNumber + 1 },
  })
  return { ...decodeEntry(row), createdAt }
}

function columnsOf(rows: readonly (readonly SqlValue[])[], count: number): SqlValue[][] {
  return Array.from({ length: count }, (_, i) => rows.map((row) => row[i] ?? null))
}

/** One pair for each value of each set, no value twice. */
function pairs<T, K extends string | number>(
  items: readonly T[],
  setOf: (item: T) => readonly [K, readonly string[]],
): { readonly owners: readonly K[]; readonly values: readonly string[] } {
  const owners: K[] = []
  const values: string[] = []
  for (const item of items) {
    const [owner, set] = setOf(item)
    for (const value of new Set(set)) {
      owners.push(owner)
      values.push(value)
    }
  }
  return { owners, values }
}

function rowOf(
  columns: readonly string[],
  values: readonly SqlValue[],
  others: Readonly<Record<string, SqlValue>>,
): StoredEntry {
  const named = Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null]))
  return { ...others, ...named } as unknown as StoredEntry // the columns are those of the table
}
