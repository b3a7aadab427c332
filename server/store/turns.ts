/**
 * Turns: what several servers of one store must do only once at a time. A turn has a name; of all servers that want it one
 * holds it, and the others wait. Nobody is asked to give one up, so that a server that comes back changes nothing.
 *
 * Fails closed: a holder that has not heard from the database for `TURN_TIMES.giveUpMs` is told to stop, and nobody
 * begins before `TURN_TIMES.settleMs`, which is longer, have passed since the database granted the turn to it. Two at once
 * are therefore possible only for work that does not heed its signal, for a write that was on its way already, between
 * machines of which one counts seconds a fifth slower, or where the database itself is two (a primary that goes on beside
 * the one that was promoted in its place). What is done in a turn must be harmless when it is done twice.
 *
 * What each server must do for itself stays out: its own authorities, SVID and journal, what it keeps in memory, what it
 * listens on and with which certificate, files of its machine, and answers of which an API server takes the first one.
 *
 * A turn moves within `settleMs` and one `checkMs` when its holder dies or its connection is cut, and within `silenceMs`
 * more when the holder falls silent: the database then ends its session by `idle_session_timeout`.
 */

import { aborted } from '../../spiffe/aborted.ts'
import { type Loop, runLoops } from '../../spiffe/running-loops.ts'

export interface Turn {
  /** Aborts when the turn is lost, or the caller wants it no more. The work is to end then. */
  readonly signal: AbortSignal
  /** To be called right before a write that must not be done by two. @throws IdentityError UNAVAILABLE when the turn is over */
  mustHold(): void
}

/** What this server has to do with a turn. `settling`: it was granted, and whoever held it before may still be stopping. */
export interface TurnStanding {
  readonly name: string
  readonly state: 'waiting' | 'settling' | 'held'
  readonly since: Date
}

/** Who holds a turn, among all servers of the store. */
export interface TurnHolder {
  /** Undefined: this server wants no turn of that name, and does not know it. */
  readonly name: string | undefined
  /** As that server calls itself. */
  readonly holder: string
  readonly isThisServer: boolean
}

export interface Turns {
  /** Whether other servers may take turns with this one. */
  readonly isShared: boolean
  /**
   * Waits for the turn and works. A turn that was lost is waited for again, and the work begun anew; what has ended by
   * itself is over. Callers of one process that want the same turn follow each other.
   * @returns when the work has ended, or the signal has aborted and the work has ended @throws what the work throws
   */
  hold(name: string, work: (turn: Turn) => Promise<void>, signal: AbortSignal): Promise<void>
  /** The turns that this server wants or holds. */
  standing(): readonly TurnStanding[]
  /** @throws IdentityError UNAVAILABLE when the database cannot be asked */
  holders(): Promise<readonly TurnHolder[]>
}

export interface TurnTimes {
  /** How often a server asks for what it holds and for what it waits for. */
  readonly checkMs: number
  /** How long a holder goes on after it asked the last question that was answered. */
  readonly giveUpMs: number
  /** How long a new holder waits before it begins. More than `giveUpMs`. */
  readonly settleMs: number
  /** How long the database keeps a session from which nothing comes. */
  readonly silenceMs: number
}

export const TURN_TIMES: TurnTimes = {
  checkMs: 1_000,
  giveUpMs: 4_000,
  settleMs: 5_000,
  silenceMs: 5_000,
}

/** The loops, run by one server at a time; all of them end when the turn does. */
export function oneServerAtATime(
  turns: Pick<Turns, 'hold'>,
  name: string,
  loops: readonly Loop[],
): Loop {
  return (stop) =>
    turns.hold(
      name,
      async ({ signal }) => {
        await using running = runLoops(loops)
        await Promise.race([running.failed, aborted(signal)])
      },
      stop,
    )
}
