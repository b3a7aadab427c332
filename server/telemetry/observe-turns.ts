/** Says which turns this server holds: a line for each change, and metrics whose sum over all servers is one for each turn. */
import type { Log } from '../../log/open-log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Turns } from '../store/turns.ts'

/** The same turns. Where one server has the store for itself it holds them all, and nothing is said. */
export function observeTurns(
  turns: Turns,
  { log, metrics }: { log: Log; metrics: Metrics },
): Turns {
  if (!turns.isShared) return turns
  const named = log.child({ component: 'turns' })
  return {
    ...turns,
    async hold(name, work, signal) {
      await turns.hold(
        name,
        async (turn) => {
          named.info({ turn: name }, 'Turn begins')
          metrics.count('turn_begun', { turn: name })
          metrics.add('turns_held', 1)
          const tellLost = () => !signal.aborted && named.warn({ turn: name }, 'Turn is lost')
          turn.signal.addEventListener('abort', tellLost, { once: true })
          try {
            await work(turn)
          } finally {
            turn.signal.removeEventListener('abort', tellLost)
            metrics.add('turns_held', -1)
            metrics.count('turn_ended', { turn: name })
            named.info({ turn: name, lost: turn.signal.aborted && !signal.aborted }, 'Turn is over')
          }
        },
        signal,
      )
    },
  }
}
