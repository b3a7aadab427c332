/**
 * The change log: every write of an entry, a node or a bundle leaves one record, committed in the
 * same transaction. Who keeps something in memory tails it and needs no polling of whole tables.
 */

export type ChangeKind = 'entry' | 'node' | 'bundle'

export interface Change {
  readonly sequence: number
  readonly kind: ChangeKind
  /** Entry ID, agent SPIFFE ID, or name of the trust domain. What happened to it is read from the store. */
  readonly key: string
  readonly at: Date
}

export type ChangesAfter =
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  /** Records after that place are gone: what is in memory must be loaded anew. */
  | { readonly kind: 'pruned' }

/**
 * Sequences are integers that grow in the order of commits, without gaps. When a reader sees
 * record n, every record before n has been visible to it before, and none will turn up later. An
 * implementation with several writers must therefore hand out sequences under a lock kept until
 * commit (in Postgres: one counter row, updated as the last statement of each writing transaction).
 */
export interface ChangeLog {
  /** @returns the sequence of the last committed record, 0 before the first */
  latest(): Promise<number>
  /** Records with a greater sequence, oldest first, at most `limit` (and `MAX_CHANGES`) of them. */
  after(sequence: number, limit: number): Promise<ChangesAfter>
  /**
   * Calls `listener` after every commit of this process that wrote a record, with the newest
   * sequence. It must not throw. Commits of other servers on one database are announced while
   * `hearing` says so: look again from time to time.
   * @returns how to stop listening
   */
  onCommit(listener: (sequence: number) => void): () => void
  /**
   * A number while commits of other servers are announced within moments, another one after each time when
   * some may have gone unheard, and undefined meanwhile. What is kept in memory without looking at the log
   * may be believed only for as long as this stays the same number.
   */
  hearing(): number | undefined
  /** Deletes at most `limit` of the oldest records written before that time. @returns how many */
  prune(before: Date, limit: number): Promise<number>
}

/** Records handed out at once. */
export const MAX_CHANGES = 1_000
