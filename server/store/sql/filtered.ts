/** The rows that a list or a count is about, as conditions that any engine can carry out. */
import type { EntryFilter } from '../../entries/filter.ts'
import type { NodeFilter } from '../../nodes/filter.ts'
import { equals, type Rows, type SqlText } from './condition.ts'
import { setFilter } from './set-filter.ts'

/** @throws IdentityError REQUEST_INVALID for an empty or an enormous set */
export function filteredEntries(filter: EntryFilter): Rows {
  const { spiffeId, parentId, selectors, federatesWith, hint, downstream } = filter
  const conditions: SqlText[] = []
  if (spiffeId !== undefined) conditions.push(equals('entries.spiffe_id', spiffeId))
  if (parentId !== undefined) conditions.push(equals('entries.parent_id', parentId))
  if (selectors !== undefined) conditions.push(setFilter('entrySelectors', selectors))
  if (federatesWith !== undefined) conditions.push(setFilter('federatesWith', federatesWith))
  if (hint !== undefined && hint !== '') conditions.push(equals('entries.hint', hint))
  if (downstream !== undefined) conditions.push(equals('entries.downstream', Number(downstream)))
  return { table: 'entries', conditions }
}

/** @throws IdentityError REQUEST_INVALID for an empty or an enormous set */
export function filteredNodes(filter: NodeFilter): Rows {
  const { attestationType, selectors, banned, canReattest, expiresBefore } = filter
  const conditions: SqlText[] = []
  if (attestationType !== undefined) {
    conditions.push(equals('nodes.attestation_type', attestationType))
  }
  if (selectors !== undefined) conditions.push(setFilter('nodeSelectors', selectors))
  if (banned !== undefined) {
    conditions.push({ sql: `nodes.serial_number ${banned ? '=' : '<>'} ''`, values: [] })
  }
  if (canReattest !== undefined) conditions.push(equals('nodes.can_reattest', Number(canReattest)))
  if (expiresBefore !== undefined) {
    // rows hold whole seconds: those before a fraction of one are those before its end
    const before = Math.ceil(expiresBefore.getTime() / 1000)
    conditions.push({ sql: 'nodes.expires_at < ?', values: [before] })
  }
  return { table: 'nodes', conditions }
}
