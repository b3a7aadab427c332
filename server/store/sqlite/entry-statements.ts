/** How SQLite writes an entry: one row by one statement, which says what the row is now if it is new. Values come in the order of `fieldValues`. */
import { ENTRY_COLUMNS, FIELD_COLUMNS } from '../sql/entry-row.ts'

const INSERT_COLUMNS = ['id', 'created_at', ...FIELD_COLUMNS]

export const INSERT_ENTRY = `insert into entries (${INSERT_COLUMNS.join(', ')}, revision_number)
  values (${INSERT_COLUMNS.map(() => '?').join(', ')}, 0)
  returning ${ENTRY_COLUMNS.join(', ')}`

export const UPDATE_ENTRY = `update entries
  set ${FIELD_COLUMNS.map((column) => `${column} = ?`).join(', ')}, revision_number = ?
  where row = ?`
