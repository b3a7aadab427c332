/** Turns where the store serves one server: whatever this process wants to do, it may do at once. */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { closedError } from '../closed-error.ts'
import { createOneAtATime } from '../one-at-a-time.ts'
import type { TurnStanding, Turns } from '../turns.ts'

export interface OpenTurns extends Turns {
  /** Ends the turns that are held; who wants one afterwards is refused. */
  close(): Promise<void>
}

export function openTurns(clock: Pick<Clock, 'now'>): OpenTurns {
  const inOrder = createOneAtATime()
  const held = new Map<string, TurnStanding>()
  const closed = new AbortController()
  return {
    isShared: false,
    async hold(name, work, signal) {
      if (closed.signal.aborted) throw closedError()
      const over = AbortSignal.any([closed.signal, signal])
      const mustHold = () => {
        if (!over.aborted) return
        throw new IdentityError('UNAVAILABLE', `the turn ${JSON.stringify(name)} is over`)
      }
      await inOrder.run(
        name,
        async () => {
          held.set(name, { name, state: 'held', since: clock.now() })
          try {
            await work({ signal: over, mustHold })
          } finally {
            held.delete(name)
          }
        },
        over,
      )
    },
    standing: () => [...held.values()],
    holders: async () =>
      [...held.keys()].map((name) => ({ name, holder: 'this server', isThisServer: true })),
    async close() {
      closed.abort()
      await inOrder.idle()
    },
  }
}
