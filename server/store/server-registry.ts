/**
 * The servers that share one store, and what they ask of each other through it. Documents, questions and answers are text
 * that the store does not read. Ages are told by the store's own clock, so that servers need not agree on the time.
 */

export interface RegisteredServer {
  readonly key: string
  /** Of the process that wrote the row last; empty once it has stopped in order. */
  readonly incarnation: string
  readonly document: string
  readonly seenMsAgo: number
}

export interface ServerQuestion {
  readonly id: string
  /** The key of the server that is to answer. */
  readonly to: string
  readonly text: string
}

/** Rows of a list, far more than servers of one trust domain. */
export const MAX_SERVERS = 1_000
/** Questions that one server takes at a time, and that are answered in one look. */
export const MAX_QUESTIONS = 100
/** After which a question and its answer are cleared away: whoever asked has given up long before. */
export const QUESTION_KEPT_MS = 60_000

export interface ServerRegistry {
  /** At most `MAX_SERVERS`, in order of their keys. */
  list(): Promise<readonly RegisteredServer[]>
  /**
   * Takes the row of a server for a process.
   * @param after the incarnation that the row has now; undefined when there is none
   * @returns false when another process was faster, and nothing was written
   */
  enter(
    key: string,
    incarnation: string,
    document: string,
    after: string | undefined,
  ): Promise<boolean>
  /** Seen again. @returns false when the row is another process's, or forgotten, and nothing was written */
  beat(key: string, incarnation: string, document: string): Promise<boolean>
  /** The row stays, without an incarnation. */
  leave(key: string, incarnation: string): Promise<void>
  /**
   * Removes the row, what the server was asked, and its CA journals.
   * @returns false when the row has another incarnation, and nothing was removed
   */
  forget(key: string, incarnation: string): Promise<boolean>
  /** Also clears away what was asked before `QUESTION_KEPT_MS`. */
  ask(questions: readonly ServerQuestion[]): Promise<void>
  /** What has no answer yet, oldest first, at most `MAX_QUESTIONS`. */
  unanswered(key: string): Promise<readonly ServerQuestion[]>
  /** Of a question that was cleared away, nothing is kept. */
  answer(id: string, text: string): Promise<void>
  /** Those that there are; at most `MAX_QUESTIONS` are looked at. */
  answers(ids: readonly string[]): Promise<ReadonlyMap<string, string>>
}
