/** The change log in SQLite: one writer at a time, so sequences follow commits without gaps. */
import { fromUnixSeconds, unixSeconds } from '../../../spiffe/clock.ts'
import { type Change, type ChangeKind, type ChangeLog, MAX_CHANGES } from '../change-log.ts'
import type { Connection } from './connection.ts'
import type { WriteQueue } from './write-queue.ts'

export function changeLog(
  connection: Connection,
  queue: WriteQueue,
  listeners: Set<(sequence: number) => void>,
): ChangeLog {
  return {
    latest: () => connection.read(() => latestSequence(connection)),
    after: (sequence, limit) =>
      connection.read(() => {
        if (sequence < prunedThrough(connection)) return { kind: 'pruned' }
        const changes = connection
          .all<Row>(
            'select sequence, kind, key, at from changes where sequence > ? order by sequence limit ?',
            sequence,
            Math.min(limit, MAX_CHANGES),
          )
          .map(decode)
        return { kind: 'changes', changes }
      }),
    onCommit: (listener) => {
      // a wrapper of its own: the same function may listen twice
      const entry = (sequence: number) => listener(sequence)
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
    hearing: () => 0, // there is no other server
    prune: (before, limit) =>
      queue.write(() => {
        // Only a prefix is dropped, also when the clock was set back between two records.
        const last = connection.one<{ sequence: number | null }>(
          `select max(sequence) as sequence from
            (select sequence from changes
              where sequence < coalesce((select min(sequence) from changes where at >= ?), 1e18)
              order by sequence limit ?)`,
          unixSeconds(before),
          limit,
        )?.sequence
        if (last === undefined || last === null) return 0
        connection.run('update change_log set pruned_through = ?', last)
        return connection.run('delete from changes where sequence <= ?', last).changes
      }),
  }
}

export function insertChange(connection: Connection, kind: ChangeKind, key: string, at: Date) {
  connection.run('insert into changes (kind, key, at) values (?, ?, ?)', kind, key, unixSeconds(at))
}

export function latestSequence(connection: Connection): number {
  const newest = connection.one<{ sequence: number | null }>(
    'select max(sequence) as sequence from changes',
  )?.sequence
  return newest ?? prunedThrough(connection)
}

function prunedThrough(connection: Connection): number {
  return (
    connection.one<{ pruned_through: number }>('select pruned_through from change_log')
      ?.pruned_through ?? 0
  )
}

interface Row {
  readonly sequence: number
  /** Written by `insertChange` only. */
  readonly kind: ChangeKind
  readonly key: string
  readonly at: number
}

function decode({ sequence, kind, key, at }: Row): Change {
  return { sequence, kind, key, at: fromUnixSeconds(at) }
}
