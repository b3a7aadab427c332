/**
 * Turns among the servers of one PostgreSQL, as advisory locks of one session for all turns of this server; see
 * `turn-session.ts`. It is opened when the first turn is wanted.
 *
 * Fails closed: see `store/turns.ts` for how long two could be at it, and `spiffe/term.ts` for what ends a holder.
 */
import { createBell } from '../../../spiffe/bell.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { closedError } from '../closed-error.ts'
import { createOneAtATime } from '../one-at-a-time.ts'
import { TURN_TIMES, type Turn, type Turns } from '../turns.ts'
import { readHolders, turnKey } from './turn-locks.ts'
import {
  APPLICATION,
  type Grant,
  keepSession,
  type Shared,
  type TurnsDeps,
  type Wish,
} from './turn-session.ts'

export interface OpenTurns extends Turns {
  /** Ends the turns that are held; who wants one afterwards is refused. */
  close(): Promise<void>
}

export function openTurns(deps: TurnsDeps): OpenTurns {
  const times = deps.times ?? TURN_TIMES
  const shared: Shared = { deps, times, wishes: new Set(), bell: createBell(), current: undefined }
  const closed = new AbortController()
  /** After the work has ended: until then the locks are kept. */
  const stop = new AbortController()
  const inOrder = createOneAtATime()
  let keeping: Promise<void> | undefined
  return {
    isShared: true,
    async hold(name, work, signal) {
      if (closed.signal.aborted) throw closedError()
      keeping ??= keepSession(shared, stop.signal)
      const over = AbortSignal.any([closed.signal, signal])
      await inOrder.run(name, () => holdAgain(shared, name, work, over), over)
    },
    standing: () => [...shared.wishes].map(({ name, state, since }) => ({ name, state, since })),
    async holders() {
      if (shared.current === undefined) {
        throw new IdentityError('UNAVAILABLE', 'there is no session for turns now, try again later')
      }
      const { session, schema } = shared.current
      const names = new Map([...shared.wishes].map(({ name }) => [turnKey(schema, name), name]))
      return (await readHolders(session)).map(({ key, application, isOwn }) => ({
        name: names.get(key),
        holder: application.startsWith(APPLICATION)
          ? application.slice(APPLICATION.length)
          : application,
        isThisServer: isOwn,
      }))
    },
    async close() {
      closed.abort()
      await inOrder.idle()
      stop.abort()
      await keeping
    },
  }
}

/** Until the work has ended by itself, or nobody wants it any more. */
async function holdAgain(
  shared: Shared,
  name: string,
  work: (turn: Turn) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const grant = await wishFor(shared, name, signal)
    if (grant === undefined) return
    const { term, release } = grant
    const over = AbortSignal.any([term.signal, signal])
    const mustHold = () => {
      if (!term.isOver() && !signal.aborted) return
      throw new IdentityError('UNAVAILABLE', `the turn ${JSON.stringify(name)} is over`)
    }
    try {
      await work({ signal: over, mustHold })
    } finally {
      await release()
    }
    if (term.isHeld()) return
  }
}

async function wishFor(
  { wishes, bell, deps: { clock } }: Shared,
  name: string,
  signal: AbortSignal,
): Promise<Grant | undefined> {
  const wish: Wish = {
    ...{ name, state: 'waiting', since: clock.now(), isDropped: false },
    granted: Promise.withResolvers(),
  }
  const drop = () => {
    if (wish.state === 'held') return
    wish.isDropped = true
    wishes.delete(wish)
    wish.granted.resolve(undefined)
  }
  wishes.add(wish)
  bell.ring()
  signal.addEventListener('abort', drop, { once: true })
  const grant = await wish.granted.promise
  signal.removeEventListener('abort', drop)
  return grant
}
