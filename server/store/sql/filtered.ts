/** The rows that a list or a count is about, as a query that any engine's compiler can write out. */
import type { Kysely } from 'kysely'
import type { EntryFilter } from '../../entries/filter.ts'
import type { NodeFilter } from '../../nodes/filter.ts'
import { setFilter } from './set-filter.ts'
import type { Tables } from './tables.ts'

/** Builds queries and runs none. */
export type Query = Kysely<Tables>

/** @throws IdentityError REQUEST_INVALID for an empty or an enormous set */
export function filteredEntries(query: Query, filter: EntryFilter) {
  let rows = query.selectFrom('entries')
  if (filter.spiffeId !== undefined) rows = rows.where('spiffe_id', '=', filter.spiffeId)
  if (filter.parentId !== undefined) rows = rows.where('parent_id', '=', filter.parentId)
  if (filter.selectors !== undefined) {
    rows = rows.where(setFilter('entrySelectors', filter.selectors))
  }
  if (filter.federatesWith !== undefined) {
    rows = rows.where(setFilter('federatesWith', filter.federatesWith))
  }
  if (filter.hint !== undefined && filter.hint !== '') rows = rows.where('hint', '=', filter.hint)
  if (filter.downstream !== undefined) {
    rows = rows.where('downstream', '=', Number(filter.downstream))
  }
  return rows
}

/** @throws IdentityError REQUEST_INVALID for an empty or an enormous set */
export function filteredNodes(query: Query, filter: NodeFilter) {
  let rows = query.selectFrom('nodes')
  if (filter.attestationType !== undefined) {
    rows = rows.where('attestation_type', '=', filter.attestationType)
  }
  if (filter.selectors !== undefined)
    rows = rows.where(setFilter('nodeSelectors', filter.selectors))
  if (filter.banned !== undefined) {
    rows = rows.where('serial_number', filter.banned ? '=' : '<>', '')
  }
  if (filter.canReattest !== undefined) {
    rows = rows.where('can_reattest', '=', Number(filter.canReattest))
  }
  if (filter.expiresBefore !== undefined) {
    // rows hold whole seconds: those before a fraction of one are those before its end
    rows = rows.where('expires_at', '<', Math.ceil(filter.expiresBefore.getTime() / 1000))
  }
  return rows
}
