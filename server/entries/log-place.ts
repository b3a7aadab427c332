/**
 * How far the change log was read, with the record that stands there: by it a log is known again. One that was
 * restored from a backup, or that a standby kept without the last commits, has other records at the same
 * places, and numbers alone would not show it.
 */
import { type Change, type ChangeLog, MAX_CHANGES } from '../store/change-log.ts'

export interface LogPlace {
  readonly sequence: number
  /** Undefined before the first record, or when it was pruned already. */
  readonly last: Change | undefined
}

export type ReadOn =
  /** What follows, in order and without gaps; at most `MAX_CHANGES`. */
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  | { readonly kind: 'pruned' }
  /** The log is not the one that was read. */
  | { readonly kind: 'other-log' }

type Log = Pick<ChangeLog, 'latest' | 'after'>

/** The end of the log as it is now. */
export async function startAt(log: Log): Promise<LogPlace> {
  const sequence = await log.latest()
  if (sequence === 0) return { sequence, last: undefined }
  const read = await log.after(sequence - 1, 1)
  const last = read.kind === 'changes' ? read.changes[0] : undefined
  return { sequence, last: last?.sequence === sequence ? last : undefined }
}

/** Reads the last record again with what follows it. */
export async function readOn(log: Log, place: LogPlace): Promise<ReadOn> {
  const { sequence, last } = place
  if (last === undefined) return await readAfter(log, sequence)
  const read = await log.after(sequence - 1, MAX_CHANGES)
  // Pruned up to this very place, nothing is missing behind it.
  if (read.kind === 'pruned') return await readAfter(log, sequence)
  const [again, ...changes] = read.changes
  if (again === undefined || !isSame(again, last)) return { kind: 'other-log' }
  return goesOn(changes, sequence)
}

async function readAfter(log: Log, sequence: number): Promise<ReadOn> {
  const read = await log.after(sequence, MAX_CHANGES)
  return read.kind === 'pruned' ? read : goesOn(read.changes, sequence)
}

/** A gap would be a change that is never applied. */
function goesOn(changes: readonly Change[], sequence: number): ReadOn {
  const isWhole = changes.every((change, i) => change.sequence === sequence + 1 + i)
  return isWhole ? { kind: 'changes', changes } : { kind: 'other-log' }
}

function isSame(a: Change, b: Change): boolean {
  return (
    a.sequence === b.sequence &&
    a.kind === b.kind &&
    a.key === b.key &&
    a.at.getTime() === b.at.getTime()
  )
}
