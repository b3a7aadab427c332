/**
 * Hears at once what other servers commit: LISTEN on a connection of its own. A connection that is lost or
 * no longer answers is made anew, and what was committed meanwhile is told then. It wakes and no more: who
 * must miss nothing looks at the log itself from time to time, and does not depend on this.
 *
 * @see https://www.postgresql.org/docs/15/sql-notify.html — a notification is sent at the commit
 */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { CHANGES_CHANNEL } from './change-log.ts'
import type { Connection, OwnSession } from './connection.ts'

export interface ListenDeps {
  readonly connection: Pick<Connection, 'openOwn'>
  readonly clock: Clock
  /** What else belongs to a connection that is always there: done first on each new one. */
  readonly greet: (session: OwnSession) => Promise<void>
  /** There may be news up to this sequence. Must not throw. */
  readonly onNews: (sequence: number) => void
  /** Whether commits of other servers are heard from now on. Must not throw. */
  readonly onHearing: (hears: boolean) => void
  /** The connection was lost, or could not be made; it is tried again. Must not throw. */
  readonly onFailure: (error: unknown) => void
}

/** How often the connection is asked whether it still is one; nothing else is ever sent on it. */
const CHECK_MS = 1_000
/** Without an answer within this time it is given up. With the time before it: how long commits may go unheard unnoticed. */
const ANSWER_MS = 2_000
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 5_000

/** Runs until the signal aborts. */
export async function listenChanges(deps: ListenDeps, signal: AbortSignal): Promise<void> {
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    try {
      await using session = await deps.connection.openOwn()
      await deps.greet(session)
      await subscribe(session, deps)
      retryMs = FIRST_RETRY_MS
      await heed(session, deps.clock, signal)
    } catch (error) {
      deps.onHearing(false)
      if (signal.aborted) return
      deps.onFailure(error)
      await deps.clock.sleep(retryMs, signal)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
  }
}

/**
 * Listens first and looks then: a commit in between is told twice rather than never. Where the log is comes last, so that
 * whoever hears it knows that from there on everything is heard.
 */
async function subscribe(session: OwnSession, { onNews, onHearing }: ListenDeps): Promise<void> {
  session.onNotification((channel, payload) => {
    const sequence = Number(payload)
    if (channel === CHANGES_CHANNEL && Number.isSafeInteger(sequence)) onNews(sequence)
  })
  await session.run(`listen ${CHANGES_CHANNEL}`)
  const log = await session.one<{ latest: number }>('select latest from change_log')
  onHearing(true)
  if (log !== undefined) onNews(log.latest)
}

/** Returns when the signal aborts. @throws IdentityError UNAVAILABLE when the connection is lost */
async function heed(session: OwnSession, clock: Clock, signal: AbortSignal): Promise<void> {
  const either = AbortSignal.any([session.lost, signal])
  while (!signal.aborted) {
    await clock.sleep(CHECK_MS, either)
    if (session.lost.aborted) throw lostError()
    if (!signal.aborted) await check(session, clock, signal)
  }
}

async function check(session: OwnSession, clock: Clock, signal: AbortSignal): Promise<void> {
  const answered = new AbortController()
  const patience = clock.sleep(ANSWER_MS, AbortSignal.any([answered.signal, signal])).then(() => {
    if (!answered.signal.aborted) session.cut() // the question below fails with it
  })
  try {
    await session.run('select 1')
  } finally {
    answered.abort()
    await patience
  }
}

function lostError(): IdentityError {
  return new IdentityError(
    'UNAVAILABLE',
    'the connection that listens for commits of other servers was lost; it is made anew, and the log is looked at every second meanwhile',
  )
}
