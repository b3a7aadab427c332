/**
 * The session on which a server holds its turns. It is asked again and again, everything held on it is lost with it, and
 * one that is lost is opened anew.
 *
 * Fails closed: what was not confirmed in time is over; see `spiffe/term.ts`.
 */
import type { Bell } from '../../../spiffe/bell.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Random } from '../../../spiffe/random.ts'
import { createTerm, type Term } from '../../../spiffe/term.ts'
import type { TurnStanding, TurnTimes } from '../turns.ts'
import type { OwnSession } from './connection.ts'
import { mustOwnLocks, prepareSession, tryLocks, turnKey, unlock } from './turn-locks.ts'

export interface TurnsDeps {
  /** A connection of its own: one that is handed around would hand the locks around. @throws IdentityError UNAVAILABLE */
  openOwn(): Promise<OwnSession>
  /** What this server is called where people look; the end of a long one is cut. */
  readonly holder: string
  readonly clock: Clock
  readonly random: Random
  /** The session was lost or cannot be had. Told once until there is one again. */
  readonly onFailure: (error: unknown) => void
  readonly times?: TurnTimes
}

/** Of sessions in pg_stat_activity, those of turns. */
export const APPLICATION = 'steeple turns '
/** Of a pause, what is left to chance: servers shall not all ask at the same moment. */
const SPREAD = 0.2

/** A turn that somebody of this server wants, or holds. */
export interface Wish {
  readonly name: string
  state: TurnStanding['state']
  since: Date
  isDropped: boolean
  readonly granted: PromiseWithResolvers<Grant | undefined>
}

/** A turn that may be worked in now. */
export interface Grant {
  readonly term: Term
  release(): Promise<void>
}

export interface Shared {
  readonly deps: TurnsDeps
  readonly times: TurnTimes
  readonly wishes: Set<Wish>
  readonly bell: Bell
  /** Undefined: there is none now. */
  current: { readonly session: OwnSession; readonly schema: string } | undefined
}

/** Runs until the signal aborts; a session that is lost is opened anew. */
export async function keepSession(shared: Shared, signal: AbortSignal): Promise<void> {
  const { times, wishes } = shared
  const { clock, random, openOwn, onFailure } = shared.deps
  let isTold = false
  const onAnswer = () => {
    isTold = false
  }
  while (!signal.aborted) {
    try {
      await using session = await openUntil(openOwn, signal)
      if (session !== undefined) await serve(shared, session, signal, onAnswer)
    } catch (error) {
      if (!signal.aborted && !isTold) onFailure(error)
      isTold = true
    }
    shared.current = undefined
    // Those that held one learn by their term, and wish anew.
    for (const wish of wishes) {
      if (wish.state === 'held') wishes.delete(wish)
      else setState(wish, 'waiting', clock)
    }
    await clock.sleep(times.checkMs * (1 - SPREAD * random()), signal)
  }
}

/** Nobody who stops waits for a database that does not answer; what it gives too late is closed. */
async function openUntil(
  openOwn: TurnsDeps['openOwn'],
  signal: AbortSignal,
): Promise<OwnSession | undefined> {
  const opening = openOwn()
  const stopped = Promise.withResolvers<undefined>()
  const stop = () => stopped.resolve(undefined)
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([opening, stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
    if (signal.aborted) void opening.then((late) => late.cut()).catch(() => {})
  }
}

/** @throws IdentityError UNAVAILABLE saying why the session is over, unless the signal aborted */
async function serve(
  shared: Shared,
  session: OwnSession,
  signal: AbortSignal,
  onAnswer: () => void,
): Promise<void> {
  const { times, bell } = shared
  const { clock, random, holder } = shared.deps
  const term = createTerm(times.giveUpMs, clock, signal)
  const over = AbortSignal.any([term.signal, session.lost])
  session.lost.addEventListener('abort', term.end, { once: true })
  term.signal.addEventListener('abort', () => !signal.aborted && session.cut(), { once: true })
  if (session.lost.aborted) term.end()
  try {
    const begun = term.begin()
    const schema = await prepareSession(session, `${APPLICATION}${holder}`, times.silenceMs)
    begun.adopt()
    shared.current = { session, schema }
    while (!over.aborted) {
      bell.reset()
      const asked = term.begin()
      await askOnce(shared, session, term, schema)
      asked.adopt()
      onAnswer()
      const pauseMs = times.checkMs * (1 - SPREAD * random())
      await clock.sleep(pauseMs, AbortSignal.any([over, bell.signal()]))
    }
    if (!signal.aborted) throw new IdentityError('UNAVAILABLE', 'the session for turns was lost')
  } finally {
    term.end()
  }
}

async function askOnce(
  shared: Shared,
  session: OwnSession,
  term: Term,
  schema: string,
): Promise<void> {
  const { wishes, deps } = shared
  const keyOf = ({ name }: Wish) => turnKey(schema, name)
  const waiting = [...wishes].filter(({ state }) => state === 'waiting')
  const granted = await tryLocks(session, waiting.map(keyOf))
  const taken = waiting.filter((wish) => granted.has(keyOf(wish)))
  for (const wish of taken.filter(({ isDropped }) => !isDropped)) {
    setState(wish, 'settling', deps.clock)
  }
  for (const wish of taken.filter(({ isDropped }) => isDropped)) await unlock(session, keyOf(wish))
  const own = [...wishes].filter(({ state }) => state !== 'waiting')
  if (own.length > 0) {
    await mustOwnLocks(session, new Map(own.map((wish) => [keyOf(wish), wish.name])))
  }
  for (const wish of taken) void settle(shared, session, term, wish, keyOf(wish))
}

/** Whoever held the turn before may not have heard yet that it lost it. */
async function settle(
  { deps: { clock }, times, wishes }: Shared,
  session: OwnSession,
  term: Term,
  wish: Wish,
  key: number,
): Promise<void> {
  const release = async () => {
    wishes.delete(wish)
    // A session that is over gave everything free.
    if (term.isHeld()) await unlock(session, key).catch(() => session.cut())
  }
  await clock.sleep(times.settleMs, term.signal)
  if (term.isOver()) return
  if (wish.isDropped) return await release()
  setState(wish, 'held', clock)
  wish.granted.resolve({ term, release })
}

function setState(wish: Wish, state: TurnStanding['state'], clock: Pick<Clock, 'now'>): void {
  if (wish.state === state) return
  wish.state = state
  wish.since = clock.now()
}
