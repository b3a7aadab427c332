/**
 * The change log of several writers. Sequences are counted in one row: whoever updates it keeps its lock until
 * the commit, and the commit is seen before the lock is free. So records follow commits without gaps.
 */
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import { type Change, type ChangeKind, type ChangeLog, MAX_CHANGES } from '../change-log.ts'
import type { CommitListeners } from './commit-listeners.ts'
import type { Connection } from './connection.ts'
import type { Session } from './session.ts'

/** Where commits with records are announced, the newest sequence being the message. */
export const CHANGES_CHANNEL = 'steeple_changes'

export interface ChangeToRecord {
  readonly kind: ChangeKind
  readonly key: string
}

const RECORD = `with counted as (
    update change_log set latest = latest + $1::bigint where "only" = 1 returning latest
  ), recorded as (
    insert into changes (sequence, kind, key, at)
      select counted.latest - $1::bigint + given.place, given.kind, given.key, $2::bigint
        from counted cross join unnest($3::text[], $4::text[]) with ordinality as given (kind, key, place)
  ) select latest, pg_notify('${CHANGES_CHANNEL}', latest::text) from counted`

/**
 * The last statement of a transaction that writes.
 * @returns the newest sequence, undefined when there is nothing to record
 */
export async function recordChanges(
  session: Session,
  records: readonly ChangeToRecord[],
  at: Date,
): Promise<number | undefined> {
  if (records.length === 0) return undefined
  const counted = await session.one<{ latest: number }>(
    RECORD,
    records.length,
    unixSeconds(at),
    records.map(({ kind }) => kind),
    records.map(({ key }) => key),
  )
  if (counted === undefined) throw new Error('the change log has lost its counter')
  return counted.latest
}

/** One statement, and so one moment: what is pruned and what is left belong together. */
const AFTER = `select log.pruned_through, later.sequence, later.kind, later.key, later.at
  from change_log log left join lateral (
    select sequence, kind, key, at from changes where sequence > $1::bigint
      order by sequence limit $2::bigint
  ) later on true
  order by later.sequence`

/** Only a prefix is dropped, also when the clock was set back between two records. */
const PRUNE = `with last as (
    select max(sequence) as sequence from (
      select sequence from changes
        where sequence < coalesce(
          (select min(sequence) from changes where at >= $1::bigint), 9223372036854775807)
        order by sequence limit $2::bigint
    ) old
  ), dropped as (
    delete from changes using last where changes.sequence <= last.sequence returning 1
  ), marked as (
    update change_log set pruned_through = greatest(pruned_through, last.sequence)
      from last where last.sequence is not null
  ) select count(*) as count from dropped`

export function changeLog(
  { reads }: Pick<Connection, 'reads'>,
  listeners: CommitListeners,
): ChangeLog {
  return {
    latest: async () =>
      (await reads.one<{ latest: number }>('select latest from change_log'))?.latest ?? 0,
    after: async (sequence, limit) => {
      const rows = await reads.all<Row>(AFTER, sequence, Math.min(limit, MAX_CHANGES))
      if (sequence < (rows[0]?.pruned_through ?? 0)) return { kind: 'pruned' }
      return { kind: 'changes', changes: rows.flatMap(decode) }
    },
    onCommit: listeners.add,
    hearing: listeners.hearing,
    // A transaction of its own: its counter is locked only for as long as it takes.
    prune: async (before, limit) =>
      (await reads.one<{ count: number }>(PRUNE, unixSeconds(before), limit))?.count ?? 0,
  }
}

interface Row {
  readonly pruned_through: number
  /** Null in the only row when there is nothing later. */
  readonly sequence: number | null
  /** Written by `recordChanges` only. */
  readonly kind: ChangeKind
  readonly key: string
  readonly at: number
}

function decode({ sequence, kind, key, at }: Row): readonly Change[] {
  return sequence === null ? [] : [{ sequence, kind, key, at: fromUnixSeconds(at) }]
}
