/** The SQL of "this row's set matches that set": the same answer as `matchesSet` gives. */
import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { IdentityError } from '../../../spiffe/error.ts'
import type { SetMatch } from '../../entries/set-match.ts'

/** Which table holds the sets of a list, one value a row, and whose they are. */
const SETS = {
  entrySelectors: {
    table: 'entry_selectors',
    value: 'selector',
    owner: 'entry_row',
    of: 'entries.row',
  },
  federatesWith: {
    table: 'entry_federates_with',
    value: 'trust_domain',
    owner: 'entry_row',
    of: 'entries.row',
  },
  nodeSelectors: { table: 'node_selectors', value: 'selector', owner: 'node_row', of: 'nodes.row' },
} as const

/** SQLite takes 32,766 values in a query, PostgreSQL 65,535, and some filters repeat theirs. */
const MAX_FILTER_VALUES = 1_000

/** @throws IdentityError REQUEST_INVALID for an empty or an enormous set */
export function setFilter(
  set: keyof typeof SETS,
  { match, values }: SetMatch<string>,
): RawBuilder<SqlBool> {
  const wanted = [...new Set(values)]
  mustBeBounded(wanted.length)
  const { table, value, owner, of } = SETS[set]
  const from = sql`from ${sql.table(table)}`
  const among = sql`(${sql.join(wanted)})`
  const holders = sql`select ${sql.ref(owner)} ${from} where ${sql.ref(value)} in ${among}`
  const holdsAny = sql<SqlBool>`${sql.ref(of)} in (${holders})`
  const holdsAll = sql<SqlBool>`${sql.ref(of)} in
    (${holders} group by ${sql.ref(owner)} having count(*) = ${wanted.length})`
  const holdsNoOther = sql<SqlBool>`not exists (select 1 ${from}
    where ${sql.ref(owner)} = ${sql.ref(of)} and ${sql.ref(value)} not in ${among})`
  switch (match) {
    case 'exact':
      return sql<SqlBool>`(${holdsAll} and ${holdsNoOther})`
    case 'subset':
      return sql<SqlBool>`(${holdsAny} and ${holdsNoOther})`
    case 'superset':
      return holdsAll
    case 'any':
      return holdsAny
    default:
      return match satisfies never
  }
}

function mustBeBounded(count: number): void {
  if (count === 0) throw new IdentityError('REQUEST_INVALID', 'cannot list by empty selector set')
  if (count > MAX_FILTER_VALUES) {
    throw new IdentityError(
      'REQUEST_INVALID',
      `filter names ${count} values, at most ${MAX_FILTER_VALUES} are allowed`,
    )
  }
}
