/** The SQL of "this row's set matches that set": the same answer as `matchesSet` gives. */
import { IdentityError } from '../../../spiffe/error.ts'
import type { SetMatch } from '../../entries/set-match.ts'
import type { SqlText } from './condition.ts'

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
  { match, values: asked }: SetMatch<string>,
): SqlText {
  const values = [...new Set(asked)]
  mustBeBounded(values.length)
  const { table, value, owner, of } = SETS[set]
  const among = `(${values.map(() => '?').join(', ')})`
  const holders = `select ${owner} from ${table} where ${value} in ${among}`
  const holdsAny = `${of} in (${holders})`
  const holdsAll = `${of} in (${holders} group by ${owner} having count(*) = ?)`
  const holdsNoOther = `not exists (select 1 from ${table}
    where ${owner} = ${of} and ${value} not in ${among})`
  switch (match) {
    case 'exact':
      return {
        sql: `${holdsAll} and ${holdsNoOther}`,
        values: [...values, values.length, ...values],
      }
    case 'subset':
      return { sql: `${holdsAny} and ${holdsNoOther}`, values: [...values, ...values] }
    case 'superset':
      return { sql: holdsAll, values: [...values, values.length] }
    case 'any':
      return { sql: holdsAny, values }
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
